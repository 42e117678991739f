"""SIGKILL in the worst moments of a delivery, and a PostgreSQL that goes away: nothing is lost, nothing comes
in another order, and what comes twice has the same id.
"""

import asyncio
import signal
from collections.abc import AsyncIterator
from itertools import groupby

import pytest
import pytest_asyncio

from deploy.local.postgres import PostgresServer
from shared.contract.recorded_event import RecordedEvent
from tests.eventually import eventually
from tests.integration.webhook_delivery_world import WebhookWorld, webhook_world
from tests.integration.webhook_process import webhook_process
from tests.past_events import created, past_events, priced
from tests.servers import DatabaseDsns
from tests.webhook_receiver import Receiver, webhook_receiver

pytestmark = pytest.mark.servers
# A claim lasts twice as long: the next process waits for those of the killed one.
# On a slow machine an attempt may take longer than that: it is tried again until it succeeds.
SHORT = {"webhook_attempt_seconds_max": 1.0, "webhook_retry_seconds": ",".join(["0.05"] * 10_000)}


@pytest_asyncio.fixture
async def world(event_store_dsns: DatabaseDsns, read_model_dsns: DatabaseDsns) -> AsyncIterator[WebhookWorld]:
    async with webhook_world(event_store_dsns, read_model_dsns, **SHORT) as made:
        yield made


@pytest_asyncio.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with webhook_receiver() as made:
        yield made


def products(count: int) -> list[list[RecordedEvent]]:
    """With three events each."""
    return [past_events(created(), priced("1.00"), priced("2.00")) for _ in range(count)]


def has_all(receiver: Receiver, streams: list[list[RecordedEvent]]) -> None:
    """Every event of each product came, in order; a repeat came at once after the first time."""
    came = receiver.positions_by_product()
    for events in streams:
        without_repeats = [position for position, _ in groupby(came[str(events[0].product_id)])]
        assert without_repeats == [event.log_position for event in events]
    ids = {each.webhook_id for each in receiver.taken}
    assert len(ids) == sum(map(len, streams))


@pytest.mark.parametrize(
    "fault",
    [
        "before-apply:1",
        "before-add:2",
        "before-claim:3",
        "before-post:5",
        "before-settle:1",
        "before-settle:3",
    ],
)
async def test_a_killed_process_loses_nothing(world: WebhookWorld, receiver: Receiver, fault: str) -> None:
    streams = products(8)
    await world.register(receiver.url)
    async with webhook_process(world.settings(), f"kill-{fault}") as killed:
        for events in streams[:4]:
            await world.happen(events)
        if fault.startswith("before-add"):
            # Its second stretch of the log comes when the first is queued.
            await eventually(lambda: _is_taken(receiver, 1))
        for events in streams[4:]:
            await world.happen(events)
        assert await killed.has_ended() == -signal.SIGKILL
    async with webhook_process(world.settings()):
        await eventually(lambda: has_all(receiver, streams))


def _is_taken(receiver: Receiver, count: int) -> None:
    assert len(receiver.taken) >= count


async def test_two_processes_and_one_of_them_is_killed(world: WebhookWorld, receiver: Receiver) -> None:
    streams = products(20)
    await world.register(receiver.url)
    async with webhook_process(world.settings(), "kill-before-settle:5") as killed:
        async with webhook_process(world.settings()):
            for events in streams:
                await world.happen(events)
            await eventually(lambda: has_all(receiver, streams))
        for events in products(20):
            await world.happen(events)
        assert await killed.has_ended() == -signal.SIGKILL


async def test_a_stop_sends_nothing_twice(world: WebhookWorld, receiver: Receiver) -> None:
    streams = products(4)
    await world.register(receiver.url)
    for number, events in enumerate(streams):
        await world.happen(events)
        async with webhook_process(world.settings()) as process:
            # More than all earlier ones have: so this process has sent something.
            await eventually(lambda: _is_taken(receiver, 3 * number + 1))  # noqa: B023
            process.signal(signal.SIGTERM)
            assert await process.has_ended() == 0
    positions = [each.event["position"] for each in receiver.taken]
    assert len(positions) == len(set(positions))


async def test_postgresql_goes_away_and_comes_back(
    world: WebhookWorld, receiver: Receiver, postgres_server: PostgresServer
) -> None:
    streams = products(10)
    await world.register(receiver.url)
    for events in streams:
        await world.happen(events)
    async with world.delivering():
        await eventually(lambda: _is_taken(receiver, 1))
        await asyncio.to_thread(postgres_server.kill)
        await asyncio.to_thread(postgres_server.ensure_running)
        await eventually(lambda: has_all(receiver, streams))
