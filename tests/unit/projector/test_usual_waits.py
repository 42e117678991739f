"""A projection that waits for what is being made is no error: nobody is to be woken for it."""

import asyncio
from types import SimpleNamespace
from typing import Any, cast

import pytest
from aiokafka import TopicPartition
from structlog.testing import capture_logs

from projector.errors import NotYet, RedisIsAway, Unavailable
from projector.kafka.batches import create_broker
from projector.kafka.consumer import ProjectionConsumer
from projector.kafka.metrics import ProjectionMetrics
from projector.kafka.starting_points import StartingPoints
from projector.kafka.work import Source, Work
from projector.settings import ProjectorSettings
from shared.ops.health import Health


@pytest.mark.parametrize(
    ("error", "level"),
    [
        (NotYet("it is made first"), "info"),
        (Unavailable("no answer"), "error"),
        (RedisIsAway("no answer"), "error"),
    ],
)
async def test_only_an_unusual_wait_is_an_error(error: Exception, level: str) -> None:
    settings = ProjectorSettings()
    consumer = ProjectionConsumer(
        "product_view", create_broker(settings), settings, Source("products-events", "a group", "checkpoint"),
        cast(Work, None), cast(StartingPoints, _Fails(error)), count=None,
        metrics=ProjectionMetrics("product_view"),
        heartbeat=Health("projector", clock=lambda: 0.0).expect_progress("product_view", 10.0),
    )  # fmt: skip
    consumer._subscriber.consumer = cast(Any, SimpleNamespace())
    with capture_logs() as lines:
        await asyncio.wait_for(consumer._place([TopicPartition("products-events", 0)]), 20)
    (line,) = [line for line in lines if line["event"] == "projection waits"]
    assert line["log_level"] == level
    assert str(error) in line["reason"]


class _Fails:
    def __init__(self, error: Exception) -> None:
        self._error = error

    async def find(self, *_: object) -> None:
        raise self._error
