"""The topic of states is read to its end and beyond, and a topic that was made again is noticed."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from aiokafka import AIOKafkaProducer

from query_api.search.feed_ports import IndexMustBeRebuilt, NoStateTopic, StateReading, StatesUnavailable
from query_api.search.index_run import IndexRun
from query_api.search.kafka.states import KafkaStateTopic
from query_api.search.ports import IndexCheckpoint
from shared.kafka.servers import KafkaServers
from shared.kafka.topic_deletion import listed_topics
from shared.ops.metrics.search import SEARCH_INDEX_UNREADABLE
from tests.eventually import eventually
from tests.in_memory.state_topic import LOG, InMemoryProductIndex
from tests.integration.search_states import (
    PARTITIONS,
    Published,
    PublishedInKafka,
    PublishedInMemory,
    read_to_end,
)
from tests.servers import KafkaServer
from tests.unit.query_api.search_feed_world import ONE, OTHER, THIRD, FeedWorld, state

pytestmark = pytest.mark.servers
HOUR = 3600.0


@pytest.fixture(params=["memory", "kafka"])
def published(request: pytest.FixtureRequest) -> Published:
    """The fake, and the real one."""
    return PublishedInMemory() if request.param == "memory" else request.getfixturevalue("in_kafka")


@pytest.fixture
def in_kafka(kafka_bootstrap_servers: str, kafka_prefix: str) -> PublishedInKafka:
    return PublishedInKafka(kafka_bootstrap_servers, kafka_prefix)


@asynccontextmanager
async def reading_of(
    published: Published, checkpoint: IndexCheckpoint | None = None
) -> AsyncIterator[StateReading]:
    reading = await published.topic.open(checkpoint)
    try:
        yield reading
    finally:
        await reading.close()


async def test_all_partitions_are_read_with_their_tombstones_and_log_ids(published: Published) -> None:
    await published.make()
    await published.publish(state(ONE, 1, 5), state(OTHER, 3, 4, partition=1, document=None))
    other_log = uuid4()
    await published.publish(state(ONE, 2, 7, document=b'{"a":1}'), log_id=other_log)
    await published.publish(state(THIRD, 1, 8), log_id=None)
    async with reading_of(published) as reading:
        found, checkpoint = await read_to_end(reading)
        assert sorted(found, key=lambda one: one.state.log_position) == [
            (state(OTHER, 3, 4, partition=1, document=None), LOG),
            (state(ONE, 1, 5), LOG),
            (state(ONE, 2, 7, document=b'{"a":1}'), other_log),
            (state(THIRD, 1, 8), None),
        ]
        assert sum(reading.lag().offsets.values()) == 0
    assert [checkpoint.next_offsets[at] >= reading.ends[at] for at in range(PARTITIONS)] == [True, True]


async def test_reading_goes_on_from_a_checkpoint(published: Published) -> None:
    await published.make()
    await published.publish(state(ONE, 1, 1))
    async with reading_of(published) as reading:
        _, checkpoint = await read_to_end(reading)
    await published.publish(state(ONE, 2, 2), state(OTHER, 1, 3, partition=1))
    async with reading_of(published, checkpoint) as reading:
        found, _ = await read_to_end(reading)
        assert {one.state.log_position for one in found} == {2, 3}


async def test_a_reading_gets_what_is_published_meanwhile(published: Published) -> None:
    await published.make()
    async with reading_of(published) as reading:
        await read_to_end(reading)
        await published.publish(state(ONE, 1, 1))

        async def arrives() -> None:
            assert [one.state.product_id for one in (await reading.read(5, 100)).states] == [ONE]

        await eventually(arrives)


async def test_a_read_has_no_more_states_than_asked_for(published: Published) -> None:
    await published.make()
    await published.publish(*(state(UUID(int=number), 1, number, number % 2) for number in range(1, 8)))
    async with reading_of(published) as reading:
        # More than the states: a transaction's marker takes an offset, too.
        assert reading.offset_count >= 7
        found, checkpoint = await read_to_end(reading, states_max=3)
        assert sorted(one.state.log_position for one in found) == list(range(1, 8))
    async with reading_of(published, checkpoint) as reading:
        assert reading.offset_count == 0


async def test_a_topic_that_does_not_exist_is_said_and_not_created(
    published: Published, kafka_bootstrap_servers: str
) -> None:
    with pytest.raises(NoStateTopic):
        await published.topic.open(None)
    if isinstance(published, PublishedInKafka):
        assert published.name not in await listed_topics(published.servers, seconds_max=30)


async def test_a_topic_that_ends_before_the_checkpoint_was_made_again(published: Published) -> None:
    await published.make()
    await published.publish(state(ONE, 1, 1))
    async with reading_of(published) as reading:
        _, checkpoint = await read_to_end(reading)
    await published.make_again()
    with pytest.raises(IndexMustBeRebuilt):
        await published.topic.open(checkpoint)


async def test_a_topic_whose_first_records_are_younger_than_the_checkpoint_was_made_again(
    published: Published,
) -> None:
    await published.make()
    await published.publish(state(ONE, 1, 1), state(OTHER, 1, 2, partition=1))
    async with reading_of(published) as reading:
        _, checkpoint = await read_to_end(reading)
    with pytest.raises(IndexMustBeRebuilt):
        await published.topic.open(checkpoint._replace(saved_at=checkpoint.saved_at - HOUR))
    async with reading_of(published, checkpoint._replace(saved_at=checkpoint.saved_at - 1)) as reading:
        assert not (await read_to_end(reading))[0]


async def test_a_record_that_cannot_be_read_is_counted_and_left_out(in_kafka: PublishedInKafka) -> None:
    await in_kafka.make()
    producer = AIOKafkaProducer(**in_kafka.servers.arguments())
    await producer.start()
    key, version, position = str(ONE).encode(), ("ce_streamversion", b"1"), ("ce_position", b"2")
    for wrong_key, headers in (
        (key, []),
        (key, [version]),
        (key, [version, ("ce_position", b"\xff")]),
        (key, [version, ("ce_position", b"0")]),
        (key, [("ce_streamversion", b"99999999999"), position]),
        (key, [version, position, ("ce_logid", b"none")]),
        (b"no product", [version, position]),
    ):
        await producer.send_and_wait(in_kafka.name, b"{}", wrong_key, partition=0, headers=headers)
    await producer.stop()
    await in_kafka.publish(state(ONE, 2, 2))
    before = SEARCH_INDEX_UNREADABLE._value.get()
    async with reading_of(in_kafka) as reading:
        found, _ = await read_to_end(reading)
    assert [one.state.stream_version for one in found] == [2]
    assert SEARCH_INDEX_UNREADABLE._value.get() - before == 7


async def test_what_was_read_minutes_ago_must_be_older_than_now(in_kafka: PublishedInKafka) -> None:
    now = [0.0]
    topic = KafkaStateTopic(
        in_kafka.servers, in_kafka.name, partition_count=PARTITIONS, wall_clock=lambda: now[0]
    )
    await in_kafka.make()
    await in_kafka.publish(state(ONE, 1, 1))
    reading = await topic.open(None)
    try:
        await read_to_end(reading)
        await reading.check()
        now[0] += 119
        await reading.check()
        now[0] += 2
        # The clock of the reader began in 1970: to it, what it has read is from the future.
        with pytest.raises(IndexMustBeRebuilt):
            await reading.check()
    finally:
        await reading.close()


async def test_no_broker_at_all_is_an_outage(tmp_path: Path) -> None:
    topic = KafkaStateTopic(KafkaServers("127.0.0.1:9"), "t", partition_count=1, request_seconds_max=5)
    with pytest.raises(StatesUnavailable):
        await topic.open(None)


async def test_a_feed_follows_a_topic_that_is_made_again_and_a_broker_that_is_stopped(
    in_kafka: PublishedInKafka, kafka_server: KafkaServer, tmp_path: Path
) -> None:
    world = FeedWorld(tmp_path)
    world.topic = in_kafka.topic  # type: ignore[assignment]
    async with world.process():
        await eventually(lambda: lacks_topic(world))
        await in_kafka.make()
        await world.shows({})
        await in_kafka.publish(state(ONE, 1, 1), state(OTHER, 1, 2, partition=1))
        await world.shows({ONE: 1, OTHER: 1})
        kafka_server.kill()
        await eventually(lambda: is_degraded(world))
        assert world.shown() == {ONE: 1, OTHER: 1}
        kafka_server.ensure_running()
        await in_kafka.publish(state(ONE, 2, 3), state(OTHER, 2, 4, partition=1, document=None))
        await world.shows({ONE: 2})
        await in_kafka.make_again()
        await in_kafka.publish(state(THIRD, 1, 5))
        await world.shows({THIRD: 1})
    await in_kafka.publish(state(UUID(int=4), 1, 6, partition=1))
    world.indexes.commits.clear()
    async with world.process():
        await world.shows({THIRD: 1, UUID(int=4): 1})
    assert sum(map(len, world.indexes.commits)) == 1


def lacks_topic(world: FeedWorld) -> None:
    run = world.feed.building_run
    assert run is not None
    assert run.lacks_topic


def is_degraded(world: FeedWorld) -> None:
    run = world.feed.live_run
    assert run is not None
    assert is_in_trouble(run)


def is_in_trouble(run: IndexRun[InMemoryProductIndex]) -> bool:
    try:
        run.check()
    except StatesUnavailable:
        return True
    return False
