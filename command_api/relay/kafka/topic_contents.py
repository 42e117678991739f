"""Whether the topics have what the relay has published: a broker that lost its data comes back empty.

Each topic keeps all events from the first one on. So the first record of a partition is its first event in
the log; a topic that was created again, and then published from the cursor on, begins later. One partition
count for all time makes this exact, and an operator who lets old records expire moves the first offset away
from 0, which is no loss.
"""

import asyncio
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from aiokafka import TopicPartition

from command_api.relay.kafka.lanes import TopicsOf
from command_api.relay.ports import OperatorNeeded
from shared.contract.addresses import partition_of
from shared.contract.recorded_event import RecordedEvent
from shared.kafka.cloud_event import MalformedRecord, read_record
from shared.kafka.servers import KafkaServers
from shared.kafka.single_records import records_at, single_record_reader

_REMEDY = (
    "python -m command_api remake-topics makes the topics again from the log (docs/recovery/kafka-lost.md)"
)


class TopicsLackEvents(OperatorNeeded):
    """The log was published up to the cursor, and the topics do not have it."""

    def __init__(self, cause: str) -> None:
        super().__init__(f"{cause}: Kafka has lost data. {_REMEDY}")


class TopicsOfAnotherLog(OperatorNeeded):
    """The topics have the events of another event store."""

    def __init__(self, cause: str) -> None:
        super().__init__(f"{cause}. If this log is the right one: {_REMEDY}; it needs --delete")


def places_in(topics: Iterable[str], partition_count: int) -> list[TopicPartition]:
    """All partitions of these topics."""
    return [TopicPartition(topic, number) for topic in topics for number in range(partition_count)]


def first_positions(
    published: Sequence[RecordedEvent], topics_of: TopicsOf, partition_count: int
) -> dict[TopicPartition, int]:
    """By partition, the position of its first event. `published`: the beginning of the log."""
    found: dict[TopicPartition, int] = {}
    for event in published:
        for topic in topics_of(event.event_type):
            at = TopicPartition(topic, partition_of(event.product_id, partition_count))
            found.setdefault(at, event.log_position)
    return found


async def check_contents(
    servers: KafkaServers,
    places: Collection[TopicPartition],
    expected: Mapping[TopicPartition, int],
    log_id: bytes,
    *,
    seconds_max: float,
    may_be_empty: bool = False,
) -> None:
    """`places`: partitions that exist. `expected`: from `first_positions`; one without an entry may be empty.
    Raises `TopicsLackEvents`, `TopicsOfAnotherLog`, aiokafka's errors.
    """
    if not places:
        return
    reader = single_record_reader(servers, "catalogue-relay-check")
    try:
        async with asyncio.timeout(seconds_max):
            await reader.start()
            beginnings, ends = await asyncio.gather(
                reader.beginning_offsets(places), reader.end_offsets(places)
            )
            empty = [at for at in expected if ends[at] == 0]
            if empty and not may_be_empty:
                at = empty[0]
                raise TopicsLackEvents(
                    f"{at.topic}[{at.partition}] is empty, position {expected[at]} is missing"
                )
            kept = [at for at in places if beginnings[at] == 0 < ends[at]]
            for at, first in (await records_at(reader, dict.fromkeys(kept, 0))).items():
                _check_first(at, first, expected.get(at), log_id)
    finally:
        await reader.stop()


def _check_first(at: TopicPartition, record: Any, expected: int | None, log_id: bytes) -> None:
    try:
        event, found_log_id, _ = read_record(record.key, record.value, record.headers)
    except MalformedRecord:
        return  # somebody else's record says nothing about ours
    where = f"{at.topic}[{at.partition}]"
    if str(found_log_id).encode() != log_id:
        raise TopicsOfAnotherLog(
            f"{where} begins with an event of log {found_log_id}, this is log {log_id.decode()}"
        )
    if expected is not None and event.log_position > expected:
        raise TopicsLackEvents(
            f"{where} begins with position {event.log_position}, position {expected} is missing"
        )
