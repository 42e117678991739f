"""Whole histories, one in each generation of schema versions, fold for ever to what they once folded to.

`history.vN.ndjson` is a product's life in events of schema version N, or of the current one where a type has
no N-th; line by line, `history.vN.documents.ndjson` is what a reader saw after each event. Readers may see
more later, but never less and nothing else. A new schema version brings a new pair with its lines in
`golden_histories.sha256`; neither is edited afterwards. A new event type brings a short pair of its own,
`history.<type>.ndjson`: the pairs that are there cannot have it.
"""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from command_api.domain.product import Product, evolve
from shared.contract.codec import STORED_TYPES, decode_event
from shared.contract.product_fold import apply_event
from shared.contract.views import ProductDocument, decode_document, encode_document
from tests.contract.golden_history import FOLDER, history

SUMS = Path(__file__).with_name("golden_histories.sha256")
GENERATIONS = range(1, max(stored.schema_version for stored in STORED_TYPES) + 1)
# Event type -> the first generation whose history has it, if that is not the first of all.
SINCE: dict[str, int] = {}
HISTORIES = [*(f"v{generation}" for generation in GENERATIONS), *SINCE]
DETAILS = (
    "slug", "name", "description", "brand", "product_type", "category", "tags", "attributes", "images",
)  # fmt: skip


def documents(name: str) -> list[bytes]:
    return (FOLDER / f"history.{name}.documents.ndjson").read_bytes().splitlines()


def test_there_is_a_history_for_each_generation_and_each_younger_type_and_none_else() -> None:
    wanted = {f"history.{name}{kind}.ndjson" for name in HISTORIES for kind in ("", ".documents")}
    assert {file.name for file in FOLDER.iterdir()} == wanted


def test_the_bytes_of_a_golden_history_never_change() -> None:
    listed = {name: digest for digest, name in map(str.split, SUMS.read_text().splitlines())}
    assert listed == {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in FOLDER.iterdir()}


@pytest.mark.parametrize("generation", GENERATIONS)
def test_a_history_holds_every_type_in_its_generations_version(generation: int) -> None:
    held = {(event.event_type, event.schema_version) for event in history(f"v{generation}")}
    known = [stored for stored in STORED_TYPES if SINCE.get(stored.event_type, 1) <= generation]
    assert held == {(stored.event_type, min(generation, stored.schema_version)) for stored in known}


def test_a_younger_type_is_in_its_own_history() -> None:
    for event_type in SINCE:
        assert event_type in {event.event_type for event in history(event_type)}


@pytest.mark.parametrize("name", HISTORIES)
def test_a_history_folds_to_its_golden_documents(name: str) -> None:
    document: ProductDocument | None = None
    for event, golden in zip(history(name), documents(name), strict=True):
        decoded = decode_event(event.event_type, event.schema_version, event.data)
        document = apply_event(document, decoded, event)
        seen = None if document is None else json.loads(encode_document(document))
        assert kept(seen, json.loads(golden)) == json.loads(golden)


def kept(seen: Any, golden: Any) -> Any:
    """What is seen now, without fields that the golden document has not."""
    if isinstance(seen, dict) and isinstance(golden, dict):
        return {name: kept(value, golden[name]) for name, value in seen.items() if name in golden}
    if isinstance(seen, list) and isinstance(golden, list) and len(seen) == len(golden):
        return [kept(one, other) for one, other in zip(seen, golden, strict=True)]
    return seen


def test_a_reader_may_see_more_than_a_golden_document_but_not_less_and_nothing_else() -> None:
    golden = {"a": [{"b": 1}], "c": None}
    assert kept({"a": [{"b": 1, "new": 2}], "c": None, "new": 3}, golden) == golden
    for wrong in ({"c": None}, {"a": [], "c": None}, {"a": [{"b": 2}], "c": None}, {"a": [{"b": 1}], "c": 0}):
        assert kept(wrong, golden) != golden


@pytest.mark.parametrize("name", HISTORIES)
def test_what_a_decision_sees_of_a_history_is_what_a_reader_sees(name: str) -> None:
    product: Product | None = None
    for event, golden in zip(history(name), documents(name), strict=True):
        product = evolve(product, decode_event(event.event_type, event.schema_version, event.data))
        if golden == b"null":
            assert product.status == "deleted"
            continue
        assert _decided(product) == _read(decode_document(golden))


def _decided(product: Product) -> Sequence[Any]:
    return [product.status, *product.variants.values(), *(getattr(product, name) for name in DETAILS)]


def _read(document: ProductDocument) -> Sequence[Any]:
    return [document.status, *document.variants, *(getattr(document, name) for name in DETAILS)]


@pytest.mark.parametrize("name", HISTORIES)
def test_a_golden_history_is_one_that_the_log_can_hold(name: str) -> None:
    """Versions without gaps from 1 on, of one product, ending with its deletion."""
    events = history(name)
    assert [event.stream_version for event in events] == list(range(1, len(events) + 1))
    assert len({event.product_id for event in events}) == 1
    assert events[-1].event_type == "product-deleted"
