"""A producer that does not get to its broker leaves nothing behind."""

import asyncio

import pytest
from aiokafka import AIOKafkaProducer

from deploy.local.ports import HOST
from shared.kafka.producers import start_producer
from tests.silent_server import silent_server


@pytest.mark.parametrize("is_cancelled", [False, True], ids=["too-late", "cancelled"])
async def test_a_producer_that_does_not_start_is_closed_with_its_tasks(is_cancelled: bool) -> None:
    async with silent_server() as (port, _):
        before = asyncio.all_tasks()
        producer = AIOKafkaProducer(bootstrap_servers=f"{HOST}:{port}")
        starting = asyncio.create_task(
            start_producer(producer, seconds_max=30.0 if is_cancelled else 0.2, stop_seconds_max=1.0)
        )
        if is_cancelled:
            await asyncio.sleep(0.1)
            starting.cancel()
        with pytest.raises(asyncio.CancelledError if is_cancelled else TimeoutError):
            await starting
        assert producer._closed, "its __del__ would complain"
        assert asyncio.all_tasks() <= before
