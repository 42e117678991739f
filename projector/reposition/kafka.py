"""The ends of the topic of all events, and the newest event before each end."""

import asyncio
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient

from projector.errors import Unavailable
from projector.reposition.ports import TopicEdge
from shared.kafka.cloud_event import MalformedRecord, read_record
from shared.kafka.errors import KAFKA_IS_AWAY
from shared.kafka.servers import KafkaServers
from shared.kafka.single_records import records_at, single_record_reader
from shared.ops.error_text import named

# A marker of a foreign transaction is no record: it is not waited for.
_QUIET_POLLS_MAX = 4


class KafkaTopic:
    """Implements `Topic`."""

    def __init__(self, servers: KafkaServers, topic: str, *, seconds_max: float) -> None:
        self._servers = servers
        self._topic = topic
        self._seconds_max = seconds_max

    async def edge(self) -> TopicEdge:
        reader = single_record_reader(self._servers, "projector-reposition")
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
    for at, record in (await records_at(reader, last, quiet_polls_max=_QUIET_POLLS_MAX)).items():
        if (found := _event(record)) is not None:
            newest[at.partition] = found
    return TopicEdge({at.partition: end for at, end in ends.items()}, newest)


def _event(record: Any) -> tuple[UUID, int] | None:
    try:
        event, log_id, _ = read_record(record.key, record.value, record.headers)
    except MalformedRecord:
        return None
    return log_id, event.log_position
