"""The publisher over a table and a topic in memory: whatever fails, the topic ends with the newest states."""

import asyncio
import random
from collections.abc import Collection, Iterator, Mapping, Sequence
from uuid import UUID

import pytest
import structlog
from hypothesis import given, settings
from hypothesis import strategies as st

from projector.control.ports import Control
from projector.errors import CannotGoOn, Unavailable
from projector.state_topic.ports import Portion, State
from projector.state_topic.publish import StatePublisher
from shared.contract.addresses import partition_of
from shared.ops.concurrency.burst_pace import Pauses
from shared.ops.concurrency.waits import cancelled
from shared.ops.health import OnlyAnOperatorHelps
from tests.eventually import eventually
from tests.in_memory.states import InMemoryStateTable, InMemoryStateTopic
from tests.unit.projector.histories import new_product_id

PARTITIONS = 2


class World:
    """Publishers over the same table and topic, as several processes would be."""

    def __init__(self, states_max: int = 2) -> None:
        self.table = InMemoryStateTable(PARTITIONS, states_max=states_max)
        self.topic = InMemoryStateTopic()

    def publisher(self) -> StatePublisher:
        return StatePublisher("products_state", self.table, self.topic, topic_name="states")

    def save(self, count: int = 1) -> list[UUID]:
        """So many products, of one partition after the other."""
        ids = [_product_id_in(number % PARTITIONS) for number in range(count)]
        for one in ids:
            self.table.save(one, 1, b"1")
        return ids

    def ends_with_the_newest(self) -> None:
        """Each product's last record is what the table has, and none came after a newer one."""
        latest = self.topic.latest()
        assert {key: (one.stream_version, one.document) for key, one in latest.items()} == {
            key: (row.stream_version, row.document) for key, row in self.table.rows.items()
        }
        for records in self.topic.records.values():
            by_product: dict[UUID, int] = {}
            for record in records:
                assert record.stream_version >= by_product.get(record.product_id, 0)
                by_product[record.product_id] = record.stream_version


def _product_id_in(partition: int) -> UUID:
    return next(one for one in iter(new_product_id, None) if partition_of(one, PARTITIONS) == partition)


@pytest.fixture(autouse=True, scope="module")
def _logs_unwritten() -> Iterator[None]:
    """Writing the traces of failures that are meant costs more than all else here."""
    with structlog.testing.capture_logs():
        yield


@pytest.fixture
def world() -> World:
    return World()


async def test_what_waits_is_published_to_the_last_whatever_the_size_of_a_portion(world: World) -> None:
    world.save(7)
    publisher = world.publisher()
    publisher.own(range(PARTITIONS))
    await publisher._round()
    world.ends_with_the_newest()
    assert sum(map(len, world.topic.records.values())) == 7
    await publisher._round()
    assert sum(map(len, world.topic.records.values())) == 7
    assert await world.table.waiting(range(PARTITIONS)) == {}


async def test_only_partitions_that_are_ours_are_written(world: World) -> None:
    ids = world.save(12)
    publisher = world.publisher()
    publisher.own([1])
    publisher.wake([0, 1])
    await publisher._round()
    assert world.topic.latest().keys() == {one for one in ids if partition_of(one, PARTITIONS) == 1}
    publisher.release()
    world.table.save(next(iter(world.topic.latest())), 2, None)
    publisher.wake([0, 1])
    await publisher._round()
    assert {one.stream_version for one in world.topic.latest().values()} == {1}


@pytest.mark.parametrize("outcome", ["before", "after"])
async def test_a_publication_that_failed_is_made_again_and_readiness_says_why_meanwhile(
    world: World, outcome: str
) -> None:
    world.save(5)
    publisher = world.publisher()
    publisher.own(range(PARTITIONS))
    world.topic.failures.extend([outcome, outcome])  # type: ignore[list-item]
    await publisher._round()
    with pytest.raises(Unavailable, match=r"away|no answer"):
        await publisher.check()
    await publisher._round()
    await publisher.check()
    world.ends_with_the_newest()


async def test_what_could_not_be_noted_as_published_is_published_again(world: World) -> None:
    (one,) = world.save()
    publisher = world.publisher()
    publisher.own(range(PARTITIONS))
    noting = world.table.published

    async def away(states: object) -> None:
        raise Unavailable("away")

    world.table.published = away  # type: ignore[method-assign]
    await publisher._round()
    world.table.published = noting  # type: ignore[method-assign]
    world.table.save(one, 2, None)
    await publisher._round()
    assert [record.stream_version for record in world.topic.records[partition_of(one, PARTITIONS)]] == [1, 2]
    world.ends_with_the_newest()


async def test_a_topic_that_was_made_anew_gets_everything_again(world: World) -> None:
    world.save(5)
    publisher = world.publisher()
    publisher.own(range(PARTITIONS))
    await publisher._round()
    world.topic.records.clear()
    successor = world.publisher()
    successor.own(range(PARTITIONS))
    await successor._round()
    world.ends_with_the_newest()


async def test_a_topic_that_is_not_as_it_must_be_is_told_and_nothing_is_written(world: World) -> None:
    world.save(2)
    world.topic.failure = CannotGoOn("cleanup.policy=delete")
    publisher = world.publisher()
    publisher.own(range(PARTITIONS))
    await publisher._round()
    with pytest.raises(OnlyAnOperatorHelps, match=r"cleanup\.policy"):
        await publisher.check()
    world.topic.failure = None
    await publisher._round()
    world.ends_with_the_newest()


async def test_a_paused_publisher_publishes_nothing_until_it_is_resumed(world: World) -> None:
    world.save(2)
    publisher = world.publisher()
    publisher.obey(Control(is_paused=True, revision=1))
    publisher.own(range(PARTITIONS))
    await publisher._round()
    assert world.topic.latest() == {}
    publisher.obey(Control(is_paused=False, revision=2))
    await publisher._round()
    world.ends_with_the_newest()


async def test_a_replaced_publisher_writes_nothing_after_its_successor(world: World) -> None:
    (one,) = world.save()
    old, new = world.publisher(), world.publisher()
    old.own(range(PARTITIONS))
    await old._round()
    world.table.save(one, 2, b"2")
    new.own(range(PARTITIONS))
    await new._round()
    world.table.save(one, 3, None)
    old.wake(range(PARTITIONS))
    await old._round()
    versions = [record.stream_version for record in world.topic.records[partition_of(one, PARTITIONS)]]
    assert versions == [1, 2]
    with pytest.raises(Unavailable, match="another channel"):
        await old.check()
    old.release()
    new.wake(range(PARTITIONS))
    await new._round()
    world.ends_with_the_newest()


@pytest.mark.parametrize("ends", ["release", "pause"])
async def test_between_two_portions_it_stops_for_whoever_is_next_and_for_an_operator(ends: str) -> None:
    world = World(states_max=1)
    world.save(12)
    publisher, noting = world.publisher(), world.table.published

    async def published(states: Sequence[State]) -> None:
        await noting(states)
        if ends == "release":
            publisher.release()
        else:
            publisher.obey(Control(is_paused=True, revision=1))

    world.table.published = published  # type: ignore[method-assign]
    publisher.own(range(PARTITIONS))
    await publisher._round()
    assert {len(records) for records in world.topic.records.values()} == {1}


async def test_what_nobody_woke_it_for_is_found_by_looking(world: World) -> None:
    publisher = StatePublisher(
        "products_state",
        world.table,
        world.topic,
        topic_name="states",
        pauses=Pauses(0.0, 0.0),
        look_seconds=0.001,
    )
    publisher.own(range(PARTITIONS))
    running = asyncio.create_task(publisher.run())
    await asyncio.sleep(0)
    world.save(3)
    await eventually(world.ends_with_the_newest)
    await cancelled(running)


async def test_a_partition_is_read_once_a_round_unless_more_waits_than_a_portion_holds(world: World) -> None:
    publisher, reads = world.publisher(), list[list[int]]()
    reading = world.table.unpublished

    async def unpublished(partitions: Collection[int]) -> Mapping[int, Portion]:
        reads.append(sorted(partitions))
        return await reading(partitions)

    ids = world.save(2)
    publisher.own(range(PARTITIONS))
    await publisher._round()
    world.table.unpublished = unpublished  # type: ignore[method-assign]
    for one in ids:
        world.table.save(one, 2, b"2")
    publisher.wake(range(PARTITIONS))
    await publisher._round()
    assert reads == [[0, 1]]
    world.save(6)
    publisher.wake([0])
    await publisher._round()
    assert reads[1:] == [[0], [0]]
    world.table.unpublished = reading  # type: ignore[method-assign]
    publisher.wake([1])
    await publisher._round()
    world.ends_with_the_newest()


@settings(max_examples=100, deadline=None)
@given(seed=st.integers(0, 2**32))
async def test_whatever_two_publishers_do_at_the_same_time_the_topic_ends_with_the_newest_states(
    seed: int,
) -> None:
    chance = random.Random(seed)
    world = World(states_max=chance.randint(1, 4))
    ids = world.save(4)
    publishers = [world.publisher(), world.publisher()]
    for _ in range(12):
        for one in chance.sample(ids, 2):
            version = world.table.rows[one].stream_version + 1
            world.table.save(one, version, None if chance.random() < 0.2 else b"%d" % version)
        for publisher in publishers:
            match chance.randrange(4):
                case 0:
                    publisher.release()
                case 1:
                    publisher.own(chance.choice([[0], [1], [0, 1]]))
                case _:
                    publisher.wake([0, 1])
        world.topic.failures.extend(chance.choices(["none", "before", "after"], [6, 1, 1], k=2))  # type: ignore[arg-type]
        await asyncio.gather(*(publisher._round() for publisher in publishers))
    world.topic.failures.clear()
    last = world.publisher()
    last.own(range(PARTITIONS))
    await last._round()
    world.ends_with_the_newest()
