"""The newest event that the topic has: a log that was restored from a backup may end before it."""

import asyncio
from collections.abc import Iterable
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition

from shared.contract.recorded_event import RecordedEvent
from shared.kafka.cloud_event import MalformedRecord, read_record
from shared.kafka.servers import KafkaServers

# A replay may have put old events behind the newest one.
_RECORDS_EACH = 20
_FETCH_BYTES_MAX = 256 * 1024
_POLL_MILLISECONDS = 500


async def newest_event(
    servers: KafkaServers, topic: str, partition_count: int, log_id: bytes, *, seconds_max: float
) -> RecordedEvent | None:
    """Of this log, among the last records of each partition, if any. Raises aiokafka's errors."""
    reader = AIOKafkaConsumer(
        **servers.arguments(), client_id="catalogue-relay-check", enable_auto_commit=False,
        max_partition_fetch_bytes=_FETCH_BYTES_MAX,
    )  # fmt: skip
    places = [TopicPartition(topic, number) for number in range(partition_count)]
    found: list[RecordedEvent] = []
    try:
        async with asyncio.timeout(seconds_max):
            await reader.start()
            beginnings, ends = await asyncio.gather(
                reader.beginning_offsets(places), reader.end_offsets(places)
            )
            left = {at for at in places if beginnings[at] < ends[at]}
            reader.assign(list(left))
            for at in left:
                reader.seek(at, max(beginnings[at], ends[at] - _RECORDS_EACH))
            while left:
                for at, records in (await reader.getmany(timeout_ms=_POLL_MILLISECONDS)).items():
                    found += _ours(records, log_id)
                    if records[-1].offset + 1 >= ends[at]:
                        left.discard(at)
                        reader.pause(at)
    finally:
        await reader.stop()
    return max(found, key=lambda event: event.log_position, default=None)


def _ours(records: Iterable[Any], log_id: bytes) -> Iterable[RecordedEvent]:
    for record in records:
        try:
            event, found_log_id, _ = read_record(record.key, record.value, record.headers)
        except MalformedRecord:
            continue  # somebody else's record says nothing about ours
        if str(found_log_id).encode() == log_id:
            yield event
