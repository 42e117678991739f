"""One shard is restored to an earlier point: the other shards win, and afterwards nothing contradicts."""

import pytest

from tests.sharding.checker import holders_now, lost_names
from tests.sharding.exploring import run_alone
from tests.sharding.faults import Faults
from tests.sharding.memory_shards import MemoryShards, Shards
from tests.sharding.restoring import contradictions, reconciled, restored
from tests.sharding.settling import sweep
from tests.sharding.simulation import Simulation
from tests.sharding.stored_form import found_in

BACKUP_AT_STEP = 400
SEEDS = range(40)


async def _restored(seed: int, shard: int) -> tuple[Shards, Shards]:
    """(before the restore, after it)."""
    under_test = MemoryShards()
    backup: list[Shards] = []

    async def back_up(step: int) -> None:
        if step == BACKUP_AT_STEP:
            backup.append(under_test.shards)

    await Simulation(under_test, seed, at_step=back_up).run()
    return under_test.shards, restored(under_test.shards, backup[0], shard)


@pytest.mark.parametrize("shard", [0, 1])
async def test_a_restored_shard_is_reconciled_with_the_others(shard: int) -> None:
    contradicted = 0
    for seed in SEEDS:
        before, after = await _restored(seed, shard)
        contradicted += bool(contradictions(after))
        mended = reconciled(after, shard)
        mended = run_alone(mended, sweep(Faults.NONE))
        holders = holders_now(found_in(mended.streams))
        rows = {name: (row.product_id, row.is_held) for name, row in mended.rows}
        open_claims = [claim for (_, claim), product in mended.fences if product is not None]
        assert not contradictions(mended), seed
        assert not lost_names(holders, rows, open_claims), seed
        # The other shard keeps what it had.
        assert _of_other_shard(before, shard) == _of_other_shard(mended, shard), seed
    print(f"{contradicted} of {len(SEEDS)} restores of shard {shard} made two products hold one name")
    assert contradicted


def _of_other_shard(shards: Shards, shard: int) -> list[object]:
    return [each for each in found_in(shards.streams) if each.shard != shard]
