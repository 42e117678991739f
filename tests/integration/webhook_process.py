"""The delivery of webhooks in a process of its own, with a fault (`process_faults.py`)."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

from projector.settings import ProjectorSettings
from projector.stores import open_stores
from projector.webhooks.http.sender import HttpSender
from projector.webhooks.parts import webhook_loop
from projector.webhooks.postgres.endpoints import PostgresEndpoints
from projector.webhooks.postgres.queue import PostgresQueue
from shared.ops.concurrency.waits import stopped
from shared.ops.process import run
from tests.forked_process import ForkedProcess, be_ready_to_fork
from tests.integration.process_faults import install

_PLACES: dict[str, tuple[Any, str]] = {
    "before-apply": (PostgresEndpoints, "apply"),
    "before-add": (PostgresQueue, "add"),
    "before-claim": (PostgresQueue, "claim"),
    "before-post": (HttpSender, "send"),
    "before-settle": (PostgresQueue, "settle"),
}


@asynccontextmanager
async def webhook_process(settings: ProjectorSettings, fault: str = "") -> AsyncIterator[ForkedProcess]:
    """In this block; killed at its end if not before."""
    await asyncio.to_thread(be_ready_to_fork)
    process = ForkedProcess(_deliver, settings, fault)
    try:
        yield process
    finally:
        process.end()


def _deliver(settings: ProjectorSettings, fault: str) -> None:
    if fault:
        install(fault, _PLACES)

    async def deliver(stop: asyncio.Event) -> None:
        async with AsyncExitStack() as stack:
            loop = webhook_loop(await open_stores(settings, 4, stack))
            stack.push_async_callback(stopped, asyncio.create_task(loop.run()))
            await stop.wait()

    sys.exit(run("projector", deliver))
