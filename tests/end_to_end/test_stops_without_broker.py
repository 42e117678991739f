"""A process that gets SIGTERM while the broker is down ends in order: the outage is not its failure."""

import asyncio

import pytest

from tests.end_to_end.system import System
from tests.end_to_end.workload import Load

pytestmark = pytest.mark.servers


async def test_a_projector_told_to_leave_while_the_broker_is_dead_ends_in_order(system: System) -> None:
    async with Load(system) as load:
        async with load.going_on(100, settled=30) as running:
            await asyncio.to_thread(system.servers.kafka.kill)
        await running
        await asyncio.to_thread(system.projector.stop)
        assert system.projector.exit_code == 0, system.projector.log_tail()
