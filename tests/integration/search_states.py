"""The compacted topic of states, in Kafka and in memory, as one thing for a suite of tests."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Protocol
from uuid import UUID

from aiokafka import AIOKafkaConsumer, TopicPartition

from projector.state_topic.kafka.topic import KafkaStateTopic as PublishingTopic
from projector.state_topic.kafka.topic import StateTopicSettings
from projector.state_topic.ports import State
from query_api.search.feed_ports import StateReading, StateRecord, StateTopic
from query_api.search.kafka.states import KafkaStateTopic
from query_api.search.ports import IndexCheckpoint, IndexedState
from shared.contract.addresses import state_topic
from shared.kafka.servers import KafkaServers
from shared.kafka.topic_deletion import delete_topics
from shared.kafka.topics import LATEST_PER_KEY, TopicSpec, ensure_topics
from tests.eventually import eventually
from tests.in_memory.state_topic import LOG, InMemoryStateTopic

PARTITIONS = 2


class Published(Protocol):
    """A topic that a test writes."""

    topic: StateTopic

    async def make(self) -> None: ...

    async def publish(self, *states: IndexedState, log_id: UUID | None = LOG) -> None: ...

    async def make_again(self) -> None: ...


class PublishedInMemory:
    """The fake."""

    def __init__(self) -> None:
        self.topic = InMemoryStateTopic(PARTITIONS)
        self.topic.exists = False

    async def make(self) -> None:
        self.topic.exists = True

    async def publish(self, *states: IndexedState, log_id: UUID | None = LOG) -> None:
        self.topic.publish(*states, log_id=log_id)

    async def make_again(self) -> None:
        self.topic.make_again()


class PublishedInKafka:
    """As the projector publishes."""

    def __init__(self, bootstrap_servers: str, prefix: str) -> None:
        self.servers = KafkaServers(bootstrap_servers)
        self.name = state_topic(prefix)
        self.topic = KafkaStateTopic(self.servers, self.name, partition_count=PARTITIONS)
        self._spec = TopicSpec(self.name, PARTITIONS, configs=LATEST_PER_KEY)

    async def make(self) -> None:
        await ensure_topics(self.servers, [self._spec])

    async def publish(self, *states: IndexedState, log_id: UUID | None = LOG) -> None:
        topic = PublishingTopic(StateTopicSettings(self.servers, self._spec, f"{self.name}-test"))
        for partition in sorted({state.partition for state in states}):
            channel = await topic.open(partition)
            await channel.publish([_published(one, log_id) for one in states if one.partition == partition])
            await channel.close()
        await eventually(self._all_is_readable)

    async def _all_is_readable(self) -> None:
        """A commit is answered before its end is in the partition: until then a reader would see less."""
        places = [TopicPartition(self.name, partition) for partition in range(PARTITIONS)]
        ends = []
        for isolation_level in ("read_committed", "read_uncommitted"):
            consumer = AIOKafkaConsumer(**self.servers.arguments(), isolation_level=isolation_level)
            await consumer.start()
            try:
                ends.append(await consumer.end_offsets(places))
            finally:
                await consumer.stop()
        assert ends[0] == ends[1]

    async def make_again(self) -> None:
        await delete_topics(self.servers, [self.name], seconds_max=30)
        await self.make()


def _published(state: IndexedState, log_id: UUID | None) -> State:
    return State(
        state.product_id, state.stream_version, state.log_position, datetime.now(UTC), state.document, log_id
    )


async def read_to_end(
    reading: StateReading, states_max: int = 1_000
) -> tuple[Sequence[StateRecord], IndexCheckpoint]:
    """All states until every partition is drained, up to `states_max` a read, and a checkpoint after them."""
    states: list[StateRecord] = []
    offsets: dict[int, int] = {}

    async def read() -> None:
        found = await reading.read(0.1, states_max)
        assert len(found.states) <= states_max
        states.extend(found.states)
        offsets.update(found.next_offsets)
        assert set(found.drained) == set(range(PARTITIONS))

    await eventually(read)
    return states, IndexCheckpoint(offsets, {}, LOG, datetime.now(UTC).timestamp())
