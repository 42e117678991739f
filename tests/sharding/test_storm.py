"""The protocol with clients at the same time, while a server is killed and sessions are ended."""

import asyncio

import pytest

from deploy.local.postgres import PostgresServer
from tests.sharding.faults import Faults
from tests.sharding.postgres.shards import PostgresShards, end_sessions
from tests.sharding.storm import Storm

pytestmark = [pytest.mark.servers, pytest.mark.prove]


@pytest.mark.parametrize("seed", [1, 2])
async def test_nothing_is_violated_by_clients_at_the_same_time(
    postgres_shards: PostgresShards, second_server: PostgresServer, seed: int
) -> None:
    storm = Storm(postgres_shards.dsns, seed, clients=10, commands_each=30)
    running = asyncio.create_task(storm.run())
    for _ in range(2):
        await asyncio.wait({running}, timeout=3)
        await end_sessions(postgres_shards.dsns[0].writer)
        await asyncio.to_thread(second_server.kill)
        await asyncio.to_thread(second_server.start)
    report = await running
    print(f"seed {seed}: {sorted(report.counts.items())}")
    assert not report.violations
    assert report.counts["answered done"] > 0
    assert report.counts["lost"] > 0


async def test_a_sweeper_that_frees_by_time_alone_is_found(postgres_shards: PostgresShards) -> None:
    fault = Faults.RELEASES_BY_TIME_ALONE
    report = await Storm(postgres_shards.dsns, 1, clients=10, commands_each=20, faults=fault).run()
    print(report.violations)
    assert report.violations
