"""One reader of a topic for several projections of a process: among real servers, and when it fails."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from operator import itemgetter

import pytest
from aiokafka import TopicPartition
from prometheus_client import REGISTRY

from projector.kafka.fetching import BatchWait
from projector.kafka.shared_reader import SharedReader
from projector.kafka.tail import Follower, Place, Tail
from shared.ops.concurrency.waits import cancelled
from tests.eventually import eventually
from tests.integration.projector_commands import command
from tests.integration.projector_world import World, product_id_in, world
from tests.unit.projector.histories import created, history, new_product_id, priced

__all__ = ["world"]
pytestmark = pytest.mark.servers
VIEWS = ("product_view", "category_view", "analytics")


@asynccontextmanager
async def reading(world: World) -> AsyncIterator[SharedReader]:
    wait, make_tail = BatchWait(1, 100), partial(Tail, records_max=1_000, bytes_max=1_000_000)
    reader = SharedReader(
        world.settings.kafka_servers, world.topic, idle=wait, busy=wait, make_tail=make_tail, rest_seconds=0.1
    )
    running = asyncio.create_task(reader.run())
    try:
        yield reader
        assert not running.done()
    finally:
        await cancelled(running)


async def followed(reader: SharedReader, places: dict[int, int]) -> Follower:
    """As soon as the reader runs."""
    found: list[Follower] = []

    async def attempt() -> None:
        follower = reader.follow({at: Place(offset, offset) for at, offset in places.items()})
        assert follower is not None
        found.append(follower)

    await eventually(attempt)
    return found[0]


async def takes(follower: Follower, wanted: list[tuple[int, int]], so_far: list[tuple[int, int]]) -> None:
    """For `eventually`: in the end it has taken exactly these, in the order of each partition."""
    records = follower.take(1000)
    assert records is not None
    so_far += [(record.partition, record.offset) for record in records]
    assert sorted(so_far, key=itemgetter(0)) == wanted


async def test_two_followers_get_every_record_and_a_partition_that_nobody_follows_is_not_read(
    world: World,
) -> None:
    first, second = (history(product_id_in(at), created(), priced("2.00")) for at in (0, 1))
    async with reading(world) as reader:
        both = await followed(reader, {0: 0, 1: 0})
        await world.publish(first)
        one = await followed(reader, {0: 1})
        await world.publish(second)
        await eventually(partial(takes, both, [(0, 0), (0, 1), (1, 0), (1, 1)], []))
        await eventually(partial(takes, one, [(0, 1)], []))
        reader.left(both)
        assert both.take(1000) is None
        assert reader.tail.next_offsets == {0: 2}
        await world.publish([*second, *first])
        await eventually(partial(takes, one, [(0, 2), (0, 3)], []))
        assert reader.consumer is not None
        assert reader.consumer.paused() == {TopicPartition(world.topic, 1)}
        again = await followed(reader, {1: 2, 2: 0})
        await eventually(partial(takes, again, [(1, 2), (1, 3)], []))


@pytest.mark.parametrize("fault", ["a place that the topic does not have", "a task of the client has ended"])
async def test_if_it_fails_all_followers_are_told_and_it_begins_again(world: World, fault: str) -> None:
    events = history(product_id_in(0), created(), priced("2.00"))
    async with reading(world) as reader:
        follower = await followed(reader, {0: 0})
        if fault == "a place that the topic does not have":
            other = await followed(reader, {1: 7})
        else:
            other = follower
            consumer = reader.consumer
            assert consumer is not None
            consumer._fetcher._fetch_task.cancel()

        async def told() -> None:
            assert (follower.is_over, other.is_over) == (True, True)

        await eventually(told)
        assert (follower.take(1000), reader.tail.next_offsets) == (None, {})
        again = await followed(reader, {0: 0})
        await world.publish(events)
        await eventually(partial(takes, again, [(0, 0), (0, 1)], []))


async def follows(*names: str) -> None:
    """For `eventually`: these projections follow, and no other."""
    following = {
        sample.labels["projection"]
        for metric in REGISTRY.collect()
        if metric.name == "projection_follows_shared_reader"
        for sample in metric.samples
        if sample.value
    }
    assert following & set(VIEWS) == set(names)


async def test_a_projection_that_is_paused_reads_alone_until_it_has_caught_up(world: World) -> None:
    streams = [history(new_product_id(), created(), priced("2.00"), priced("3.00")) for _ in range(20)]
    async with world.projecting(*VIEWS):
        await eventually(lambda: follows(*VIEWS))
        for events in streams:
            await world.happen(events[:1])
        await eventually(lambda: analysed(world, len(streams)))
        await command(world, "pause", "analytics", "--reason", "a test")
        await eventually(lambda: follows("product_view", "category_view"))
        for events in streams:
            await world.happen(events[1:])
        for events in streams:
            await eventually(lambda one=events: world.table_shows(one[0].product_id, 3))
        await analysed(world, len(streams))
        await command(world, "resume", "analytics", "--reason", "a test")
        await eventually(lambda: analysed(world, 3 * len(streams)))
        await eventually(lambda: follows(*VIEWS))


async def analysed(world: World, events: int) -> None:
    """So many are counted, each once."""
    counted = await world.views.fetchval(
        "SELECT sum(products_created + price_changes)::int FROM views.analytics_change"
    )
    assert counted == events


async def test_a_projection_that_is_too_slow_for_the_others_reads_alone_and_misses_nothing(
    world: World,
) -> None:
    streams = [history(new_product_id(), created(), priced("2.00")) for _ in range(50)]
    async with world.projecting(*VIEWS, shared_records_max=10):
        await eventually(lambda: follows(*VIEWS))
        async with world.views.transaction():
            await world.views.execute("LOCK TABLE views.analytics_change IN ACCESS EXCLUSIVE MODE")
            for events in streams:
                await world.happen(events)
            for events in streams:
                await eventually(lambda one=events: world.table_shows(one[0].product_id, 2))
        await eventually(lambda: analysed(world, 2 * len(streams)))
        await eventually(lambda: follows(*VIEWS))
