"""A consumer that has lost one of aiokafka's own tasks can never go on: the process has to say so."""

import asyncio
from types import SimpleNamespace
from typing import Any, cast

import pytest

from projector.kafka.batches import create_broker
from projector.kafka.consumer import ProjectionConsumer
from projector.kafka.metrics import ProjectionMetrics
from projector.kafka.starting_points import StartingPoints
from projector.kafka.work import Source, Work
from projector.settings import ProjectorSettings
from shared.ops.health import Health, OnlyAnOperatorHelps

SILENT_SECONDS_MAX = 10.0


async def _fails() -> None:
    raise RuntimeError("the handler is closed")


async def _goes_on() -> None:
    await asyncio.Event().wait()


@pytest.mark.parametrize("dead", ["metadata", "coordination", "fetching"])
async def test_a_dead_task_below_stops_the_projection_and_its_heartbeat(dead: str) -> None:
    now = 0.0
    health = Health("projector", clock=lambda: now)
    settings = ProjectorSettings()
    consumer = ProjectionConsumer(
        "product_view", create_broker(settings), settings, Source("products-events", "a group", "checkpoint"),
        cast(Work, None), cast(StartingPoints, None), count=None, metrics=ProjectionMetrics("product_view"),
        heartbeat=health.expect_progress("product_view", SILENT_SECONDS_MAX),
    )  # fmt: skip
    tasks = {name: asyncio.create_task(_goes_on()) for name in ("metadata", "coordination", "fetching")}
    consumer._subscriber.consumer = cast(Any, _consumer_of(tasks))
    assert consumer._subscriber.dead_task() is None
    running, tasks[dead] = tasks[dead], asyncio.create_task(_fails())
    await asyncio.wait([tasks[dead]])
    consumer._subscriber.consumer = cast(Any, _consumer_of(tasks))

    now = SILENT_SECONDS_MAX + 1
    await consumer._keep_once()

    is_alive, answers = health.liveness()
    assert not is_alive, answers
    with pytest.raises(OnlyAnOperatorHelps, match=f"{dead} task has ended: RuntimeError.*restart this"):
        await consumer.check()
    for task in (running, *tasks.values()):
        task.cancel()
    await asyncio.wait([running, *tasks.values()])


def _consumer_of(tasks: dict[str, "asyncio.Task[None]"]) -> SimpleNamespace:
    """As much of aiokafka's as is looked at."""
    return SimpleNamespace(
        _client=SimpleNamespace(_sync_task=tasks["metadata"]),
        _coordinator=SimpleNamespace(_coordination_task=tasks["coordination"]),
        _fetcher=SimpleNamespace(_fetch_task=tasks["fetching"]),
    )
