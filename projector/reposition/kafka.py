"""The ends of the topic of all events, and the newest event before each end."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient

from projector.errors import Unavailable
from projector.reposition.ports import TopicEdge
from shared.kafka.cloud_event import MalformedRecord, read_record
from shared.kafka.errors import KAFKA_IS_AWAY
from shared.kafka.servers import KafkaServers
from shared.ops.error_text import named

_FETCH_BYTES_MAX = 16 * 1024
_POLL_MILLISECONDS = 500
# A marker of a foreign transaction is no record: it is not waited for.
_QUIET_POLLS_MAX = 4


class KafkaTopic:
    """Implements `Topic`."""

    def __init__(self, servers: KafkaServers, topic: str, *, seconds_max: float) -> None:
        self._servers = servers
        self._topic = topic
        self._seconds_max = seconds_max

    async def edge(self) -> TopicEdge:
        reader = AIOKafkaConsumer(
            **self._servers.arguments(), client_id="projector-reposition", enable_auto_commit=False,
            max_partition_fetch_bytes=_FETCH_BYTES_MAX,
        )  # fmt: skip
        admin = AIOKafkaAdminClient(**self._servers.arguments(), client_id="projector-reposition")
        try:
            async with asyncio.timeout(self._seconds_max):
                await admin.start()
                places = await self._places(admin)
                await reader.start()
                return await _edge(reader, places)
        except KAFKA_IS_AWAY as error:
            raise Unavailable(f"Kafka: {named(error)}") from error
        finally:
            await admin.close()
            await reader.stop()

    async def _places(self, admin: AIOKafkaAdminClient) -> list[TopicPartition]:
        described = (await admin.describe_topics([self._topic]))[0]
        if described["error_code"]:
            raise Unavailable(
                f"the topic {self._topic} does not exist: python -m command_api remake-topics creates it"
            )
        return [TopicPartition(self._topic, one["partition"]) for one in described["partitions"]]


async def _edge(reader: AIOKafkaConsumer, places: Sequence[TopicPartition]) -> TopicEdge:
    beginnings, ends = await asyncio.gather(reader.beginning_offsets(places), reader.end_offsets(places))
    last = {at: ends[at] - 1 for at in places if ends[at] > beginnings[at]}
    newest = {}
    for at, record in (await _records(reader, last)).items():
        if (found := _event(record)) is not None:
            newest[at.partition] = found
    return TopicEdge({at.partition: end for at, end in ends.items()}, newest)


async def _records(
    reader: AIOKafkaConsumer, offsets: Mapping[TopicPartition, int]
) -> dict[TopicPartition, Any]:
    """The records at these offsets; one that is no record is absent."""
    found: dict[TopicPartition, Any] = {}
    if not offsets:
        return found
    reader.assign(list(offsets))
    for at, offset in offsets.items():
        reader.seek(at, offset)
    quiet = 0
    while len(found) < len(offsets) and quiet < _QUIET_POLLS_MAX:
        polled = await reader.getmany(timeout_ms=_POLL_MILLISECONDS)
        quiet = 0 if polled else quiet + 1
        for at, records in polled.items():
            found.setdefault(at, records[0])
            reader.pause(at)
    return found


def _event(record: Any) -> tuple[UUID, int] | None:
    try:
        event, log_id, _ = read_record(record.key, record.value, record.headers)
    except MalformedRecord:
        return None
    return log_id, event.log_position
