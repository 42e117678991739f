"""The seeded simulation on two PostgreSQL servers: nothing is violated, and each planted fault is found."""

import asyncio
from collections.abc import Sequence

import pytest

from deploy.local.postgres import PostgresServer
from tests.sharding import operations as o
from tests.sharding.commands import Kind
from tests.sharding.faults import Faults
from tests.sharding.memory_shards import MemoryShards
from tests.sharding.postgres.shards import PostgresShards
from tests.sharding.reports import Chances, Report, summary
from tests.sharding.simulation import ShardsUnderTest, Simulation
from tests.sharding.workload import KINDS

pytestmark = pytest.mark.servers
SEEDS = range(2)
SEEDS_MAX = 2000
MORE_SEEDS = range(100, 130)
SEEDS_IN_MEMORY = range(1000, 1050)
_ROUGH = Chances(lost_percent=20, crash_percent=1)
# Where the search for a seed begins that finds the fault; the search is in memory, and takes a moment only.
FOUND_NEAR = {
    Faults.RELEASES_BY_TIME_ALONE: 41,
    Faults.LOOKS_BEFORE_IT_FENCES: 55,
    Faults.APPENDS_WITHOUT_ITS_CLAIM: 33,
    Faults.CONFIRMS_BEFORE_THE_APPEND: 22,
    Faults.LOOKS_BEFORE_IT_READS_THE_ROW: 35,
    Faults.ABANDONS_WITHOUT_LOOKING: 120,
    Faults.NO_OPEN_CLAIM_FOR_A_RELEASE: 42,
    Faults.POSITIONS_ARE_NOT_RAISED: 51,
    Faults.ANSWERS_WITHOUT_LOOKING: 49,
    Faults.A_KEY_HAS_NO_HOME: 71,
    Faults.REFUSES_ITS_OWN_COMMAND: 534,
    Faults.LEAVES_A_PENDING_ROW_TO_OTHERS: 0,
    Faults.THE_KEY_OF_AN_UPSERT_IS_NO_NAME: 171,
}
# Upserts alone, and what takes their slug away: among all kinds it would be a long search.
KINDS_OF: dict[Faults, Sequence[Kind]] = {
    Faults.THE_KEY_OF_AN_UPSERT_IS_NO_NAME: ("create", "upsert", "upsert", "upsert", "rename", "delete")
}


async def _in_memory(seed: int) -> Report:
    return await Simulation(MemoryShards(), seed).run()


async def _on_postgres(shards: PostgresShards, seed: int) -> Report:
    await shards.empty()
    return await Simulation(shards, seed).run()


async def _planted(shards: ShardsUnderTest, seed: int, fault: Faults) -> Report:
    kinds = KINDS_OF.get(fault, KINDS)
    return await Simulation(shards, seed, faults=fault, chances=_ROUGH, kinds=kinds).run()


async def _holds_on_postgres(shards: PostgresShards, seeds: range) -> None:
    reports = []
    for seed in seeds:
        report = await _on_postgres(shards, seed)
        assert not report.violations, f"seed {seed}: {report.violations}"
        assert report.trace == (await _in_memory(seed)).trace, f"seed {seed}: memory and PostgreSQL differ"
        reports.append(report)
    print(f"seeds {seeds.start} to {seeds.stop - 1}: {summary(reports)}")
    counts = summary(reports)
    assert all(
        what in counts
        for what in ("Append fenced", "answered taken", "answered unknown", "rolled back", "late")
    )


async def test_nothing_is_violated_and_memory_does_the_same(postgres_shards: PostgresShards) -> None:
    await _holds_on_postgres(postgres_shards, SEEDS)


@pytest.mark.prove
async def test_nothing_is_violated_with_more_seeds(postgres_shards: PostgresShards) -> None:
    await _holds_on_postgres(postgres_shards, MORE_SEEDS)


async def test_nothing_is_violated_in_memory_with_many_seeds() -> None:
    reports = [await _in_memory(seed) for seed in SEEDS_IN_MEMORY]
    assert not [(report.seed, report.violations) for report in reports if report.violations]
    print(f"seeds {SEEDS_IN_MEMORY.start} to {SEEDS_IN_MEMORY.stop - 1}: {summary(reports)}")


@pytest.mark.parametrize("fault", Faults, ids=lambda fault: fault.name)
async def test_a_planted_fault_is_found_on_postgres(postgres_shards: PostgresShards, fault: Faults) -> None:
    seed = FOUND_NEAR[fault]
    while not (await _planted(MemoryShards(), seed, fault)).violations:
        seed += 1
        assert seed < FOUND_NEAR[fault] + SEEDS_MAX
    report = await _planted(postgres_shards, seed, fault)
    print(f"{fault.name}: seed {seed}, {report.violations}")
    assert report.violations


async def test_a_server_is_killed_and_comes_back(
    postgres_shards: PostgresShards, second_server: PostgresServer
) -> None:
    """Its committed calls are there again; nobody's claim is lost with it."""

    async def kill(step: int) -> None:
        if step == 250:
            await asyncio.to_thread(second_server.kill)
            await asyncio.to_thread(second_server.start)

    report = await Simulation(postgres_shards, 7, at_step=kill).run()
    assert not report.violations
    assert {o.shard_of_product(one.product_id) for one in await postgres_shards.log()} == {0, 1}
