"""Reads Kafka records one by one, so that a bad record affects no other."""

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias
from uuid import UUID

from aiokafka import ConsumerRecord

from projector.applying.records import Delivered, ErrorClass, Unreadable
from shared.kafka.cloud_event import CloudEventRecord, MalformedRecord, read_record

Record: TypeAlias = "ConsumerRecord[Any, Any]"


class SharedRecord:
    """A record that several projections read. What the first of them reads in it is kept for the others."""

    __slots__ = ("_read", "headers", "key", "offset", "partition", "timestamp", "topic", "value")

    def __init__(self, record: Record) -> None:
        self.topic: str = record.topic
        self.partition: int = record.partition
        self.offset: int = record.offset
        self.timestamp: int = record.timestamp
        self.key: bytes | None = record.key
        self.value: bytes | None = record.value
        self.headers: Sequence[tuple[str, bytes | None]] = record.headers
        self._read: CloudEventRecord | None = None

    def read(self) -> CloudEventRecord:
        """The event in it. Raises `MalformedRecord`."""
        if self._read is None:
            self._read = read_record(self.key, self.value, self.headers)
        return self._read


def read_batch(records: Sequence[Record], log_ids: Mapping[int, UUID]) -> list[Delivered | Unreadable]:
    """One item for each record, in order. `log_ids`: the log id of each partition's checkpoint."""
    return [read_one(record, log_ids[record.partition]) for record in records]


def read_one(record: Any, log_id: UUID) -> Delivered | Unreadable:
    """The event in a record, or the reason why it has none.

    An event of another log counts as unreadable: its positions start again at 1, so it would pass for a
    duplicate.
    """
    try:
        if type(record) is SharedRecord:
            event, found_log_id, _ = record.read()
        else:
            event, found_log_id, _ = read_record(record.key, record.value, record.headers)
    except MalformedRecord as error:
        return _unreadable(record, log_id, "unreadable-record", f"MalformedRecord: {error}")
    if found_log_id != log_id:
        cause = f"the event is of log {found_log_id}, the checkpoint of log {log_id}"
        return _unreadable(record, log_id, "other-log", cause)
    return Delivered(record.partition, record.offset, event, log_id, record)


def _unreadable(record: Any, log_id: UUID, error_class: ErrorClass, cause: str) -> Unreadable:
    try:
        product_id = UUID((record.key or b"").decode())
    except ValueError:
        product_id = None
    return Unreadable(record.partition, record.offset, product_id, log_id, record, error_class, cause)
