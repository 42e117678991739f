"""A recorded event as a Kafka record: CloudEvents 1.0 in binary mode, plus headers for order and
completeness.

The value is the stored JSON, byte for byte. Everything else is in headers, so a consumer can drop duplicates
without decoding the value. Source: CloudEvents Kafka protocol binding 1.0.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from shared.contract.addresses import EVENT_SOURCE
from shared.contract.recorded_event import EventMetadata, RecordedEvent

Headers = list[tuple[str, bytes]]
# bigint, int and smallint of the log's columns.
_POSITION_MAX, _STREAM_VERSION_MAX, _SCHEMA_VERSION_MAX = 2**63 - 1, 2**31 - 1, 2**15 - 1
_REPLAYED = b"true"


class MalformedRecord(ValueError):
    """The record is not one of ours; the text names the wrong header, key or value."""


class CloudEventRecord(NamedTuple):
    """The content of one Kafka record: the event, the id of its log, and whether it is a replay."""

    event: RecordedEvent
    log_id: UUID
    is_replay: bool


def record_headers(event: RecordedEvent, log_id: bytes, *, is_replay: bool = False) -> Headers:
    """The headers of one record; `log_id` is the event store's UUID as ASCII text."""
    metadata = event.metadata
    correlation_id = metadata.correlation_id.encode()
    headers: Headers = [
        ("ce_specversion", b"1.0"),
        ("ce_id", str(metadata.event_id).encode()),
        ("ce_type", event.event_type.encode()),
        ("ce_source", EVENT_SOURCE.encode()),
        ("ce_subject", str(event.product_id).encode()),
        ("ce_time", event.recorded_at.isoformat().replace("+00:00", "Z").encode()),
        ("ce_position", b"%d" % event.log_position),
        ("ce_streamversion", b"%d" % event.stream_version),
        ("ce_schemaversion", b"%d" % event.schema_version),
        ("ce_correlationid", correlation_id),
        ("ce_logid", log_id),
        ("content-type", b"application/json"),
        ("correlation_id", correlation_id),
    ]
    if metadata.causation_id is not None:
        headers.append(("ce_causationid", metadata.causation_id.encode()))
    if metadata.traceparent is not None:
        headers.append(("traceparent", metadata.traceparent.encode()))
    if metadata.import_id is not None:
        headers.append(("ce_importid", metadata.import_id.encode()))
    if is_replay:
        headers.append(("ce_replay", _REPLAYED))
    return headers


def read_record(
    key: bytes | None, value: bytes | None, headers: Iterable[tuple[str, bytes | None]]
) -> CloudEventRecord:
    """The event of one record. Raises `MalformedRecord`: missing or wrong header, wrong key, tombstone."""
    if value is None:
        raise MalformedRecord("tombstone: an event always has a value")
    raw = dict(headers)
    subject = _required(raw, "ce_subject")
    if key != subject:
        raise MalformedRecord("key is not the product id in ce_subject")
    try:
        return CloudEventRecord(
            RecordedEvent(
                log_position=_number(raw, "ce_position", _POSITION_MAX),
                product_id=UUID(subject.decode()),
                stream_version=_number(raw, "ce_streamversion", _STREAM_VERSION_MAX),
                event_type=_required(raw, "ce_type").decode(),
                schema_version=_number(raw, "ce_schemaversion", _SCHEMA_VERSION_MAX),
                data=value,
                metadata=_metadata(raw),
                recorded_at=_time(raw),
            ),
            log_id=UUID(_required(raw, "ce_logid").decode()),
            is_replay=raw.get("ce_replay") == _REPLAYED,
        )
    except ValueError as error:
        raise MalformedRecord(str(error)) from error


def is_replay(headers: Iterable[tuple[str, bytes | None]]) -> bool:
    """Whether a record is marked as a replay; works for unreadable records, too."""
    return dict(headers).get("ce_replay") == _REPLAYED


def _number(raw: Mapping[str, bytes | None], name: str, maximum: int) -> int:
    """A number from a header; one that is too large for the log must not reach a query or a checkpoint."""
    text = _required(raw, name)
    if not text.isdigit() or not 1 <= int(text) <= maximum:
        raise MalformedRecord(f"header {name} is not a number from 1 to {maximum}")
    return int(text)


def _time(raw: Mapping[str, bytes | None]) -> datetime:
    time = datetime.fromisoformat(_required(raw, "ce_time").decode())
    if time.tzinfo is None:
        raise MalformedRecord("header ce_time has no time zone")
    return time


def _metadata(raw: Mapping[str, bytes | None]) -> EventMetadata:
    causation_id, traceparent = raw.get("ce_causationid"), raw.get("traceparent")
    import_id = raw.get("ce_importid")
    return EventMetadata(
        event_id=UUID(_required(raw, "ce_id").decode()),
        correlation_id=_required(raw, "ce_correlationid").decode(),
        causation_id=causation_id.decode() if causation_id else None,
        traceparent=traceparent.decode() if traceparent else None,
        import_id=import_id.decode() if import_id else None,
    )


def _required(raw: Mapping[str, bytes | None], name: str) -> bytes:
    value = raw.get(name)
    if value is None:
        raise MalformedRecord(f"header {name} is missing")
    return value


def headers_for_people(headers: Sequence[tuple[str, bytes | None]]) -> dict[str, str]:
    """Any headers as text, for logs and tools; never raises."""
    return {name: (value or b"").decode("utf-8", "backslashreplace") for name, value in headers}
