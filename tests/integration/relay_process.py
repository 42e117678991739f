"""A relay as a process, with a fault that production code knows nothing of: methods are wrapped from outside.

`fault` is `<kill|pause>-<place>:<n>`, at the n-th call of what `_PLACES` says: SIGKILL, or SIGSTOP until
SIGCONT. A paused relay is also deaf: it does not notice the loss of its lock, the worst that a replaced one
can do.
"""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from command_api.relay.app import run_relay
from command_api.relay.kafka.publisher import KafkaPublisher
from command_api.relay.postgres.log_tail import PostgresLogTail
from command_api.relay.settings import RelaySettings
from shared.ops.logs import configure_logs
from shared.ops.process import run
from tests.eventually import eventually
from tests.forked_process import ForkedProcess, be_ready_to_fork
from tests.integration.process_faults import install
from tests.integration.relay_world import get

_PLACES: dict[str, tuple[Any, str]] = {
    "before-cursor": (PostgresLogTail, "move_cursor"),
    "before-publish": (KafkaPublisher, "publish"),
}


class RelayProcess(ForkedProcess):
    """To be killed and paused."""

    def __init__(self, settings: RelaySettings, fault: str) -> None:
        self._ops_port = settings.relay_ops_port
        super().__init__(_relay, settings, fault)

    async def is_active(self, active: bool = True) -> None:
        """By its own metric."""

        async def says_so() -> None:
            metrics = await get(self._ops_port, "/metrics")
            assert f"relay_active {float(active)}" in metrics.text

        await eventually(says_so)


@asynccontextmanager
async def relay_process(settings: RelaySettings, fault: str = "") -> AsyncIterator[RelayProcess]:
    """In this block; killed at its end if not before."""
    await asyncio.to_thread(be_ready_to_fork)
    process = RelayProcess(settings, fault)
    try:
        yield process
    finally:
        process.end()


def _relay(settings: RelaySettings, fault: str) -> None:
    if fault and install(fault, _PLACES) == "pause":
        setattr(PostgresLogTail, "lost", lambda _: asyncio.Event().wait())  # noqa: B010
    configure_logs("relay", settings)
    sys.exit(run("relay", lambda stop: run_relay(stop, settings)))
