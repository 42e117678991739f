"""Kafka records become deliveries, one by one, so that a bad one costs nothing but itself."""

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias
from uuid import UUID

from aiokafka import ConsumerRecord

from projector.applying.records import Delivered, ErrorClass, Unreadable
from shared.kafka.cloud_event import MalformedRecord, read_record

Record: TypeAlias = "ConsumerRecord[Any, Any]"


def read_batch(records: Sequence[Record], log_ids: Mapping[int, UUID]) -> list[Delivered | Unreadable]:
    """One item a record, in order. `log_ids`: the log that each partition's checkpoint speaks of."""
    return [read_one(record, log_ids[record.partition]) for record in records]


def read_one(record: Any, log_id: UUID) -> Delivered | Unreadable:
    """The event in a record, or what is known of a record that holds none.

    An event of another log would be dropped as old, because its positions start anew.
    """
    try:
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
