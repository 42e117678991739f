"""Records that are made from the log, in the form in which Kafka would have delivered them.

Their offsets are the negative log positions, which no record of Kafka has, so they never count as a place.
"""

from uuid import UUID

from projector.applying.records import Delivered, MadeRecord
from shared.contract.addresses import partition_of
from shared.contract.recorded_event import RecordedEvent
from shared.kafka.cloud_event import record_headers


def made_record(event: RecordedEvent, topic: str, partition_count: int, log_id: UUID) -> MadeRecord:
    """The event as a record of its topic."""
    return MadeRecord(
        topic,
        partition_of(event.product_id, partition_count),
        -event.log_position,
        int(event.recorded_at.timestamp() * 1000),
        str(event.product_id).encode(),
        event.data,
        tuple(record_headers(event, str(log_id).encode())),
    )


def made_delivery(event: RecordedEvent, topic: str, partition_count: int, log_id: UUID) -> Delivered:
    """The same as a batch has it."""
    record = made_record(event, topic, partition_count, log_id)
    return Delivered(record.partition, record.offset, event, log_id, record)
