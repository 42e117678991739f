"""A raised position in the log of one shard, and a partition of the table that is not there yet."""

import asyncpg
import pytest

from command_api.postgres.maintenance import LogPartitions
from tests.sharding import operations as o
from tests.sharding.postgres.shards import PostgresShards
from tests.sharding.scenarios import A

pytestmark = pytest.mark.servers
PARTITION_POSITIONS = 10_000_000


def _append(version: int, floor: int) -> o.Append:
    event = o.Event("create" if version == 0 else "touch", ("s:red",) if version == 0 else (), (), "", "")
    return o.Append(A, version, (event,), f"key-{version}-{floor}", None, floor)


async def test_the_next_position_is_above_the_floor_and_never_goes_back(
    postgres_shards: PostgresShards,
) -> None:
    assert await postgres_shards.execute(_append(0, 500)) == o.Appended(501)
    assert await postgres_shards.execute(_append(1, 7)) == o.Appended(502)


async def test_a_position_beyond_the_partitions_waits_for_maintenance(
    postgres_shards: PostgresShards,
) -> None:
    """The sequence stays raised, so the next maintenance makes the partitions that the append needs."""
    beyond = _append(0, 7 * PARTITION_POSITIONS)
    with pytest.raises(asyncpg.CheckViolationError, match="no partition of relation"):
        await postgres_shards.execute(beyond)
    assert await postgres_shards.execute(o.Load(A)) == o.Stream((), 0)

    async with asyncpg.create_pool(postgres_shards.dsns[0].writer, min_size=1, max_size=1, ssl=False) as pool:
        await LogPartitions(pool, ahead=2, seconds=60).make()
    appended = await postgres_shards.execute(beyond)
    assert appended.position > 7 * PARTITION_POSITIONS
