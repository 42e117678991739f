"""A reader with a token waits until its write is in the live index, and no longer."""

import asyncio
from uuid import UUID

import pytest

from query_api.errors import Overloaded, ReadModelBehind
from query_api.search.ports import IndexedState
from query_api.search.progress import IndexProgress
from shared.contract.consistency_token import ConsistencyToken
from tests.eventually import eventually

ONE, OTHER = UUID(int=1), UUID(int=2)
LONG = 30.0


def _state(product_id: UUID, stream_version: int, log_position: int, partition: int = 0) -> IndexedState:
    return IndexedState(product_id, stream_version, log_position, partition, b"{}")


async def test_a_token_without_positions_is_met() -> None:
    await IndexProgress(waiters_max=1).reach(ConsistencyToken({}), 0)


async def test_all_partitions_of_a_token_must_be_passed() -> None:
    progress = IndexProgress(waiters_max=1)
    progress.begin({0: 5, 1: 7})
    await progress.reach(ConsistencyToken({0: 5, 1: 6}), 0)
    for positions in ({0: 6}, {0: 5, 1: 8}, {2: 1}):
        with pytest.raises(ReadModelBehind):
            await progress.reach(ConsistencyToken(positions), 0)


async def test_a_version_that_was_applied_decides_in_both_directions() -> None:
    progress = IndexProgress(waiters_max=1)
    progress.advance([_state(ONE, 3, 9)], {})
    await progress.reach(ConsistencyToken({0: 9}, ONE, 3), 0)
    progress.advance([], {0: 20})
    with pytest.raises(ReadModelBehind):
        # A newer state of it is on its way: the position alone would say too much.
        await progress.reach(ConsistencyToken({0: 12}, ONE, 4), 0)
    await progress.reach(ConsistencyToken({0: 12}, OTHER, 4), 0)


async def test_a_reader_waits_for_its_write_and_no_longer() -> None:
    progress = IndexProgress(waiters_max=2)
    by_version = asyncio.create_task(progress.reach(ConsistencyToken({0: 9}, ONE, 3), LONG))
    by_position = asyncio.create_task(progress.reach(ConsistencyToken({1: 4}), LONG))
    await eventually(lambda: _waiting(progress, 2))
    progress.advance([_state(ONE, 2, 8)], {1: 3})
    await asyncio.wait((by_version, by_position), timeout=0.01)
    assert not by_version.done()
    assert not by_position.done()
    progress.advance([_state(ONE, 3, 9)], {1: 5})
    await asyncio.gather(by_version, by_position)
    assert progress.waiting == 0


async def test_a_reader_that_leaves_or_waits_in_vain_makes_place() -> None:
    progress = IndexProgress(waiters_max=1)
    with pytest.raises(ReadModelBehind):
        await progress.reach(ConsistencyToken({0: 1}), 0.01)
    leaving = asyncio.create_task(progress.reach(ConsistencyToken({0: 1}), LONG))
    await eventually(lambda: _waiting(progress, 1))
    with pytest.raises(Overloaded):
        await progress.reach(ConsistencyToken({0: 1}), LONG)
    leaving.cancel()
    await asyncio.wait((leaving,))
    assert progress.waiting == 0


async def test_another_index_forgets_the_versions_and_positions_of_the_last_one() -> None:
    progress = IndexProgress(waiters_max=1)
    progress.advance([_state(ONE, 3, 9)], {0: 9})
    progress.begin({0: 2})
    with pytest.raises(ReadModelBehind):
        await progress.reach(ConsistencyToken({0: 9}, ONE, 3), 0)
    assert progress.positions == {0: 2}


async def test_only_the_versions_that_were_applied_last_are_remembered() -> None:
    progress = IndexProgress(waiters_max=1, versions_max=1)
    progress.advance([_state(ONE, 1, 1), _state(OTHER, 1, 2)], {})
    await progress.reach(ConsistencyToken({0: 2}, OTHER, 1), 0)
    with pytest.raises(ReadModelBehind):
        await progress.reach(ConsistencyToken({0: 1}, ONE, 1), 0)


async def _waiting(progress: IndexProgress, readers: int) -> None:
    assert progress.waiting == readers
