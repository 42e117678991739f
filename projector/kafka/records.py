"""Kafka records become delivered events, one by one, so that a bad one costs nothing but itself."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias
from uuid import UUID

from aiokafka import ConsumerRecord

from projector.ports import Delivered
from shared.kafka.cloud_event import MalformedRecord, headers_for_people, read_record

Record: TypeAlias = "ConsumerRecord[Any, Any]"


class FailedRecord(NamedTuple):
    """The record that a projection cannot get past; the raw record is at hand for whoever parks it."""

    record: Record
    cause: str

    def for_people(self) -> dict[str, Any]:
        """Where it is and which request made it, for a log line."""
        headers = headers_for_people(self.record.headers)
        return {
            "topic": self.record.topic,
            "partition": self.record.partition,
            "offset": self.record.offset,
            "product_id": (self.record.key or b"").decode("utf-8", "backslashreplace"),
            "event_id": headers.get("ce_id"),
            "event_type": headers.get("ce_type"),
            "correlation_id": headers.get("ce_correlationid"),
            "cause": self.cause,
        }


def read_batch(
    records: Sequence[Record], log_ids: Mapping[int, UUID]
) -> tuple[list[Delivered], FailedRecord | None]:
    """The events up to the first record that is none, and that record.

    `log_ids`: the log that each partition's checkpoint speaks of. An event of another log would be dropped as
    old, because its positions start anew, so it counts as a failed record.
    """
    batch: list[Delivered] = []
    for record in records:
        try:
            event, log_id, _ = read_record(record.key, record.value, record.headers)
        except MalformedRecord as error:
            return batch, FailedRecord(record, f"MalformedRecord: {error}")
        if log_id != log_ids[record.partition]:
            cause = f"the event is of log {log_id}, the checkpoint of log {log_ids[record.partition]}"
            return batch, FailedRecord(record, cause)
        batch.append(Delivered(record.partition, record.offset, event, log_id))
    return batch, None
