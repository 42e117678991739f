"""The partitions of a projection move between processes while events come: none is passed over."""

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer

from deploy.local.ports import free_port
from projector.kafka.batches import PromptBatchSubscriber, Records
from projector.kafka.following import Following
from projector.kafka.offsets import AppliedOffsets
from projector.kafka.shared_reader import SharedReader
from projector.kafka.tail import Follower, Place
from shared.contract.recorded_event import RecordedEvent
from shared.kafka.cloud_event import record_headers
from tests.eventually import eventually
from tests.integration.projector_world import PARTITIONS, World, product_id_in, world
from tests.unit.projector.histories import created, history

__all__ = ["world"]
pytestmark = pytest.mark.servers
# A process with one projection has no shared reader.
VIEWS = ("product_view", "category_view")
# Longer than a poll, so that the projection polls at least once.
_POLL_MILLISECONDS = 50
_POLLS_SECONDS = 0.5


def one_in_each_partition() -> list[RecordedEvent]:
    return [event for at in range(PARTITIONS) for event in history(product_id_in(at), created())]


async def table_has(world: World, events: list[RecordedEvent]) -> None:
    found = await world.views.fetch("SELECT product_id FROM views.product_view")
    missing = {event.product_id for event in events} - {row["product_id"] for row in found}
    assert not missing, f"{len(missing)} of {len(events)} are missing"


async def test_a_projection_that_is_about_to_follow_the_shared_reader_when_its_partitions_are_revoked(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Kafka answers the last commit slowly, and meanwhile the projection polls and events come."""
    revoking = asyncio.Event()
    before, meanwhile, after = one_in_each_partition(), one_in_each_partition(), one_in_each_partition()
    follow, begin, commit = SharedReader.follow, Following._begin, AppliedOffsets.commit
    began_meanwhile = []

    def follow_later(self: SharedReader, places: Mapping[int, Place]) -> Follower | None:
        self._wanted.set()  # it starts, and waits for a follower
        return follow(self, places) if revoking.is_set() else None

    async def watched_begin(self: Following, own: Any) -> Follower | None:
        follower = await begin(self, own)
        if follower is not None and own._subscription.reassignment_in_progress:
            began_meanwhile.append(self._name)
        return follower

    async def commit_slowly(self: AppliedOffsets, consumer: Any) -> None:
        if consumer._subscription.reassignment_in_progress and self._next and not revoking.is_set():
            revoking.set()
            await asyncio.sleep(_POLLS_SECONDS)
            await world.happen(meanwhile)
            await asyncio.sleep(_POLLS_SECONDS)
        await commit(self, consumer)

    monkeypatch.setattr(SharedReader, "follow", follow_later)
    monkeypatch.setattr(Following, "_begin", watched_begin)
    monkeypatch.setattr(AppliedOffsets, "commit", commit_slowly)
    async with world.projecting(*VIEWS, poll_wait_milliseconds=_POLL_MILLISECONDS):
        await world.happen(before)
        await eventually(lambda: table_has(world, before))
        async with world.projecting(*VIEWS, projector_ops_port=free_port(), wait=False):
            await revoking.wait()
            await asyncio.sleep(2 * _POLLS_SECONDS)
            await eventually(world.ready)
            await world.happen(after)
            await eventually(lambda: table_has(world, before + meanwhile + after))
    assert began_meanwhile == []


async def test_records_that_a_process_loses_on_their_way_are_read_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever fault of ours or of a library that is: the next record of the partition shows it."""
    lost: list[Records] = []
    get_msg = PromptBatchSubscriber.get_msg

    async def lose_the_first(self: PromptBatchSubscriber, consumer: Any) -> Records:
        records = await get_msg(self, consumer)
        if not records or lost:
            return records
        lost.append(records)
        return ()

    monkeypatch.setattr(PromptBatchSubscriber, "get_msg", lose_the_first)
    first, second = (history(product_id_in(3), created()) for _ in range(2))
    async with world.projecting("product_view"):
        await world.happen(first)

        async def one_is_lost() -> None:
            assert len(lost) == 1

        await eventually(one_is_lost)
        assert await world.row(first[0].product_id) is None
        await world.happen(second)
        await eventually(lambda: table_has(world, first + second))


async def test_offsets_without_records_hold_up_nothing(world: World) -> None:
    """Somebody else writes to the topic in transactions: their markers take offsets."""
    streams = [history(product_id_in(3), created()) for _ in range(6)]
    servers = world.settings.kafka_bootstrap_servers
    producer = AIOKafkaProducer(bootstrap_servers=servers, transactional_id=world.topic)
    async with world.projecting("product_view"):
        await producer.start()
        try:
            for events in streams:
                await world.append(events)
                async with producer.transaction():
                    for one in events:
                        await producer.send_and_wait(
                            world.topic,
                            one.data,
                            str(one.product_id).encode(),
                            headers=record_headers(one, str(world.log_id).encode()),
                        )
        finally:
            await producer.stop()
        everything = [event for events in streams for event in events]
        await eventually(lambda: table_has(world, everything))
        await eventually(world.ready)
