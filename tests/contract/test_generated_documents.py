"""docs/schemas and docs/asyncapi.yaml are what the code generates, and what they say is true."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec
import pytest
import yaml
from jsonschema import Draft7Validator, Draft202012Validator

from docs.generate.files import DOCS, SCHEMAS, files
from docs.generate.schemas import all_schemas, document_shape, event_shapes
from projector.state_topic.kafka.topic import state_headers
from projector.state_topic.ports import State
from shared.contract.addresses import topics
from shared.contract.codec import STORED_TYPES, decode_event
from shared.contract.older_shapes import OLDER_SHAPES
from shared.contract.recorded_event import EventMetadata, RecordedEvent
from shared.contract.upcasters import UPCASTERS
from shared.kafka.cloud_event import record_headers

HERE = Path(__file__).parent
OFFICIAL = HERE / "asyncapi" / "3.0.0.json"
SHAPES = list(event_shapes())
LOG_ID = b"0193f0a0-0000-4000-8000-000000000000"
Json = dict[str, Any]


def _asyncapi() -> Json:
    document: Json = yaml.safe_load((DOCS / "asyncapi.yaml").read_text())
    return document


def _at(document: Json, reference: str) -> Any:
    found: Any = document
    for step in reference.removeprefix("#/").split("/"):
        found = found[step]
    return found


def _errors(validator: Any, instance: Any) -> list[str]:
    return [f"{error.json_path}: {error.message[:200]}" for error in validator.iter_errors(instance)]


def _golden(name: str, version: int) -> bytes:
    return (HERE / "golden" / f"{name}.v{version}.json").read_bytes()


def _event(metadata: EventMetadata) -> RecordedEvent:
    at = datetime(2026, 1, 2, 3, 4, 5, 0, UTC)
    return RecordedEvent(7, UUID(int=7), 3, "product-archived", 1, b"{}", metadata, at)


FULL = EventMetadata(UUID(int=9), "request-1", "command-1", "command-1", "me", "00-aa-bb-01", "import-1")
BARE = EventMetadata(UUID(int=9), "request-1")


def test_what_is_in_docs_is_what_the_code_generates() -> None:
    wanted = files()
    assert set(SCHEMAS.iterdir()) == {path for path in wanted if path.parent == SCHEMAS}, "run: make docs"
    stale = [path.name for path, text in wanted.items() if path.read_text() != text]
    assert stale == [], "run: make docs"


def test_each_stored_shape_has_a_schema_and_an_older_one_a_class_of_its_own() -> None:
    assert OLDER_SHAPES.keys() == UPCASTERS.keys()
    stored = {(s.event_type, v) for s in STORED_TYPES for v in range(1, s.schema_version + 1)}
    assert {(shape.name, shape.version) for shape in SHAPES} == stored


@pytest.mark.parametrize("name", all_schemas())
def test_a_schema_is_valid_draft_2020_12_and_says_what_it_is_of(name: str) -> None:
    schema = all_schemas()[name]
    Draft202012Validator.check_schema(schema)
    assert {"$schema", "$id", "title", "description"} <= schema.keys()
    assert len({other["$id"] for other in all_schemas().values()}) == len(all_schemas())


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.file_name)
def test_golden_data_fits_its_schema_and_is_all_described_by_it(shape: Any) -> None:
    schema = all_schemas()[shape.file_name]
    data = json.loads(_golden(shape.name, shape.version))
    assert _errors(Draft202012Validator(schema), data) == []
    assert data.keys() <= schema["properties"].keys()


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.file_name)
def test_what_a_schema_refuses_the_codec_refuses_too(shape: Any) -> None:
    """Each field in turn becomes of another type, or is missing."""
    validator = Draft202012Validator(all_schemas()[shape.file_name])
    golden = json.loads(_golden(shape.name, shape.version))
    for name in golden:
        for spoilt in ({**golden, name: 17}, {k: v for k, v in golden.items() if k != name}):
            is_valid = not _errors(validator, spoilt)
            try:
                decode_event(shape.name, shape.version, msgspec.json.encode(spoilt))
            except ValueError:
                assert not is_valid, f"{name}: the schema takes what the codec refuses"
            else:
                assert is_valid, f"{name}: the codec takes what the schema refuses"


@pytest.mark.parametrize("file", sorted((HERE / "golden_histories").glob("*.documents.ndjson")))
def test_a_golden_document_fits_the_documents_schema(file: Path) -> None:
    validator = Draft202012Validator(
        all_schemas()[document_shape().file_name], format_checker=Draft202012Validator.FORMAT_CHECKER
    )
    documents = [json.loads(line) for line in file.read_text().splitlines()]
    assert [_errors(validator, document) for document in documents if document] == [[]] * (len(documents) - 1)
    assert _errors(validator, {**documents[0], "status": "sold"}) != []


def test_the_headers_schema_names_what_the_relay_writes_and_what_of_it_always_comes() -> None:
    schema = all_schemas()["event-headers.v1.schema.json"]
    full = dict(record_headers(_event(FULL), LOG_ID, is_replay=True))
    bare = dict(record_headers(_event(BARE), LOG_ID))
    assert set(schema["properties"]) == full.keys()
    assert set(schema["required"]) == bare.keys()
    for written in (full, bare):
        text = {name: value.decode() for name, value in written.items()}
        assert _errors(Draft202012Validator(schema), text) == []


def test_the_schema_of_states_headers_names_what_the_projector_writes_and_what_of_it_always_comes() -> None:
    schema = _asyncapi()["components"]["schemas"]["StateHeaders"]
    event = _event(FULL)
    state = State(event.product_id, 3, event.log_position, event.recorded_at, b"{}", UUID(LOG_ID.decode()))
    full, bare = dict(state_headers(state)), dict(state_headers(state._replace(document=None, log_id=None)))
    assert set(schema["properties"]) == full.keys()
    assert set(schema["required"]) == bare.keys()
    for written in (full, bare):
        text = {name: value.decode() for name, value in written.items()}
        assert _errors(Draft7Validator(schema), text) == []


def test_every_header_of_the_contract_is_described() -> None:
    contract = """ce_specversion ce_id ce_type ce_source ce_subject ce_time ce_position
        ce_streamversion ce_schemaversion ce_correlationid ce_causationid ce_logid
        content-type traceparent correlation_id ce_importid ce_replay"""
    properties = all_schemas()["event-headers.v1.schema.json"]["properties"]
    assert set(properties) == set(contract.split())
    assert all(rules["description"] for rules in properties.values())


def test_the_asyncapi_document_is_valid_by_the_official_schema() -> None:
    official = Draft7Validator(json.loads(OFFICIAL.read_text()))
    assert _errors(official, _asyncapi()) == []
    broken = _asyncapi()
    broken["channels"]["products-events"]["bindings"]["kafka"]["partitions"] = "twelve"
    assert _errors(official, broken) != []


def _references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"]
        for inner in value.values():
            yield from _references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _references(inner)


def test_every_reference_leads_somewhere_in_the_document_itself() -> None:
    document = _asyncapi()
    references = list(_references(document))
    assert len(references) > 50
    for reference in references:
        assert reference.startswith("#/")
        assert _at(document, reference)


def test_each_topic_carries_the_messages_that_the_relay_sends_there() -> None:
    channels = _asyncapi()["channels"]
    names = topics()
    assert {c["address"] for c in channels.values()} == {*names, "products-state"}
    for shape in SHAPES:
        message = f"{shape.name}.v{shape.version}"
        carrying = {c["address"] for c in channels.values() if message in c["messages"]}
        assert carrying == {names.events, names.by_kind(shape.name)}
    state = channels["products-state"]
    assert set(state["messages"]) == {"product-document", "product-tombstone"}
    assert state["bindings"]["kafka"]["topicConfiguration"]["cleanup.policy"] == ["compact"]
    assert {c["bindings"]["kafka"]["partitions"] for c in channels.values()} == {12}


def test_every_message_can_be_sent_and_each_operation_sends_what_its_channel_carries() -> None:
    document = _asyncapi()
    for operation in document["operations"].values():
        channel = _at(document, operation["channel"]["$ref"])
        sent = [reference["$ref"].rsplit("/", 1)[1] for reference in operation["messages"]]
        assert sent == list(channel["messages"])
    sent_anywhere = {name for channel in document["channels"].values() for name in channel["messages"]}
    assert sent_anywhere == document["components"]["messages"].keys()


def test_the_examples_fit_what_they_are_examples_of() -> None:
    document = _asyncapi()
    examples = 0
    for name, message in document["components"]["messages"].items():
        for example in message.get("examples", []):
            examples += 1
            for part in ("headers", "payload"):
                if part in example:
                    schema = {**document, **message[part]}  # so that #/components is found
                    assert _errors(Draft7Validator(schema), example[part]) == [], f"{name}: {part}"
    assert examples == len(SHAPES) + 1


def test_a_message_is_told_from_the_others_by_its_headers() -> None:
    document = _asyncapi()
    messages = document["components"]["messages"]
    headers = {name: message["examples"][0]["headers"] for name, message in messages.items() if ".v" in name}
    for name in headers:
        validator = Draft7Validator({**document, **messages[name]["headers"]})
        assert [other for other in headers if not _errors(validator, headers[other])] == [name]


def test_the_schemas_of_the_asyncapi_document_are_the_published_ones() -> None:
    """Another place for the definitions, the same words."""
    components = _asyncapi()["components"]["schemas"]
    for shape in [*SHAPES, document_shape()]:
        alone = all_schemas()[shape.file_name]
        there = components[shape.struct.__name__]
        text = json.dumps(alone["properties"]).replace("#/$defs/", "#/components/schemas/")
        assert json.loads(text) == there["properties"]
        assert alone.get("required") == there.get("required")
