"""A producer that does not get to its broker leaves nothing behind."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress

import pytest
import pytest_asyncio
from aiokafka import AIOKafkaProducer

from deploy.local.ports import HOST
from shared.kafka.producers import start_producer


@pytest_asyncio.fixture
async def silent_broker() -> AsyncIterator[str]:
    """Takes connections and says nothing."""
    writers: list[asyncio.StreamWriter] = []

    async def accept(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)

    server = await asyncio.start_server(accept, HOST, 0)
    yield f"{HOST}:{server.sockets[0].getsockname()[1]}"
    server.close()
    for writer in writers:
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()
    await server.wait_closed()


@pytest.mark.parametrize("is_cancelled", [False, True], ids=["too-late", "cancelled"])
async def test_a_producer_that_does_not_start_is_closed_with_its_tasks(
    silent_broker: str, is_cancelled: bool
) -> None:
    before = asyncio.all_tasks()
    producer = AIOKafkaProducer(bootstrap_servers=silent_broker)
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
