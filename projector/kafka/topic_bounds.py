"""First and last offsets of partitions; after a lost answer, the next request uses another connection.

aiokafka closes a connection when a request on it times out. But the limit of its own request for
offsets is the same number of seconds, and ends first: the connection stays open, and while no other request
is sent on it (nothing is fetched before a projection is placed) every later request waits there in vain.
"""

import asyncio
from collections.abc import Collection, Mapping

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.conn import CloseReason

from projector.errors import Unavailable
from projector.kafka.lost_answers import connections_of
from shared.kafka.errors import KAFKA_IS_AWAY
from shared.ops.error_text import named

Offsets = Mapping[TopicPartition, int]


async def topic_bounds(
    consumer: AIOKafkaConsumer, partitions: Collection[TopicPartition], *, seconds_max: float
) -> tuple[Offsets, Offsets]:
    """The first offset of each, and the offset after the last. Raises `Unavailable`."""
    try:
        async with asyncio.timeout(seconds_max):
            beginnings, ends = await asyncio.gather(
                consumer.beginning_offsets(partitions), consumer.end_offsets(partitions)
            )
            return beginnings, ends
    except KAFKA_IS_AWAY as error:
        for connection in connections_of(consumer._client):
            connection.close(reason=CloseReason.CONNECTION_TIMEOUT)
        raise Unavailable(f"cannot read the partitions' ends from Kafka: {named(error)}") from error
