"""A record on Kafka: its round trip, and a corpus of records that cannot be ours."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from shared.contract.recorded_event import EventMetadata, RecordedEvent
from shared.kafka.cloud_event import Headers, MalformedRecord, headers_for_people, read_record, record_headers

LOG_ID = UUID("018f3f2e-0000-7000-8000-000000000001")
_texts = st.text(st.characters(codec="utf-8"), min_size=1, max_size=20)
_events = st.builds(
    RecordedEvent,
    log_position=st.integers(1, 2**63 - 1),
    product_id=st.uuids(),
    stream_version=st.integers(1, 2**31 - 1),
    event_type=_texts,
    schema_version=st.integers(1, 2**15 - 1),
    data=st.binary(max_size=50),
    metadata=st.builds(
        EventMetadata,
        event_id=st.uuids(),
        correlation_id=_texts,
        causation_id=st.none() | _texts,
        traceparent=st.none() | _texts,
        import_id=st.none() | _texts,
    ),
    recorded_at=st.datetimes(timezones=st.just(UTC)),
)
EVENT = RecordedEvent(
    7,
    UUID(int=7),
    3,
    "product-archived",
    1,
    b"{}",
    EventMetadata(UUID(int=9), "request-1", "command-1", None, None, "00-aa-bb-01", "spring"),
    datetime(2026, 1, 2, 3, 4, 5, 678901, UTC),
)
KEY = str(EVENT.product_id).encode()


def _headers(**changes: bytes | None) -> list[tuple[str, bytes | None]]:
    changed = {name.replace("__", "-"): value for name, value in changes.items()}
    return [(name, changed.get(name, value)) for name, value in _sound()]


def _sound() -> Headers:
    return record_headers(EVENT, str(LOG_ID).encode())


@given(_events, st.booleans())
def test_an_event_comes_out_of_its_record_as_it_went_in(event: RecordedEvent, is_replay: bool) -> None:
    headers = record_headers(event, str(LOG_ID).encode(), is_replay=is_replay)
    read = read_record(str(event.product_id).encode(), event.data, headers)
    assert (read.event, read.log_id, read.is_replay) == (event, LOG_ID, is_replay)


def test_the_headers_are_those_of_the_contract() -> None:
    assert dict(_sound()) == {
        "ce_specversion": b"1.0",
        "ce_id": b"00000000-0000-0000-0000-000000000009",
        "ce_type": b"product-archived",
        "ce_source": b"/products",
        "ce_subject": KEY,
        "ce_time": b"2026-01-02T03:04:05.678901Z",
        "ce_position": b"7",
        "ce_streamversion": b"3",
        "ce_schemaversion": b"1",
        "ce_correlationid": b"request-1",
        "ce_causationid": b"command-1",
        "ce_logid": str(LOG_ID).encode(),
        "content-type": b"application/json",
        "traceparent": b"00-aa-bb-01",
        "ce_importid": b"spring",
        "correlation_id": b"request-1",
    }


def test_an_event_that_no_import_made_has_no_header_that_says_so() -> None:
    event = replace(EVENT, metadata=EventMetadata(UUID(int=9), "request-1"))
    assert "ce_importid" not in dict(record_headers(event, str(LOG_ID).encode()))


REQUIRED = (
    "ce_id", "ce_type", "ce_subject", "ce_time", "ce_position", "ce_streamversion", "ce_schemaversion",
    "ce_correlationid", "ce_logid",
)  # fmt: skip


@pytest.mark.parametrize("name", REQUIRED)
def test_a_record_without_a_required_header_is_malformed_and_the_text_names_it(name: str) -> None:
    headers = [(each, value) for each, value in _sound() if each != name]
    with pytest.raises(MalformedRecord, match=name):
        read_record(KEY, b"{}", headers)


@pytest.mark.parametrize("name", REQUIRED)
def test_a_record_with_a_none_header_is_malformed(name: str) -> None:
    with pytest.raises(MalformedRecord):
        read_record(KEY, b"{}", _headers(**{name: None}))


CORPUS: list[dict[str, Any]] = [
    {"ce_correlationid": "å".encode("latin-1")},
    {"ce_type": b"\xff"},
    {"traceparent": b"\xe5"},
    {"ce_causationid": b"\xe5"},
    {"ce_importid": b"\xe5"},
    {"ce_id": b"no uuid"},
    {"ce_logid": b""},
    {"ce_logid": b"\xe5"},
    {"ce_position": b""},
    {"ce_position": b"seven"},
    {"ce_position": b"7.0"},
    {"ce_streamversion": b"\xb2"},
    {"ce_schemaversion": b"one"},
    {"ce_time": b"yesterday"},
    {"ce_time": b"\xff"},
]


@pytest.mark.parametrize("changes", CORPUS, ids=str)
def test_a_record_with_a_header_that_is_not_what_it_says_is_malformed(changes: dict[str, bytes]) -> None:
    with pytest.raises(MalformedRecord):
        read_record(KEY, b"{}", _headers(**changes))


def test_a_tombstone_a_wrong_key_and_an_absent_key_are_malformed() -> None:
    with pytest.raises(MalformedRecord, match="tombstone"):
        read_record(KEY, None, _sound())
    for key in (None, b"", KEY.upper() + b" ", str(UUID(int=8)).encode()):
        with pytest.raises(MalformedRecord, match="key"):
            read_record(key, b"{}", _sound())


def test_a_subject_that_is_no_product_id_is_malformed_even_as_the_key() -> None:
    with pytest.raises(MalformedRecord):
        read_record(b"socks", b"{}", _headers(ce_subject=b"socks"))


@given(st.lists(st.tuples(st.sampled_from(REQUIRED), st.none() | st.binary(max_size=12)), max_size=12))
def test_any_headers_are_a_record_or_malformed_and_always_shown_to_people(
    headers: list[tuple[str, bytes | None]],
) -> None:
    with pytest.raises(MalformedRecord):
        read_record(b"x", b"{}", headers)
    assert headers_for_people(headers).keys() == dict(headers).keys()
