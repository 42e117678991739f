"""Look-ups that wait at the same moment are one query; a lost connection is tried once more."""

import asyncio
from collections.abc import Mapping

import asyncpg
import pytest

from command_api.executing.ports import StoreUnavailable
from command_api.postgres.grouped_read import grouped_read


class _Table:
    """Answers from a dict, after the errors that it is given."""

    def __init__(self, *errors: Exception) -> None:
        self.rows = {"a": 1, "b": 2}
        self.errors = list(errors)
        self.queries: list[list[str]] = []

    async def fetch(self, keys: list[str]) -> Mapping[str, int]:
        self.queries.append(keys)
        if self.errors:
            raise self.errors.pop(0)
        return {key: self.rows[key] for key in keys if key in self.rows}


async def test_what_waits_is_read_together_and_what_is_not_found_is_none() -> None:
    table = _Table()
    read = grouped_read(table.fetch, keys_max=10)
    assert await asyncio.gather(*map(read.get, ("a", "b", "c", "a"))) == [1, 2, None, 1]
    assert table.queries == [["a", "b", "c"]]


async def test_a_query_has_a_bounded_number_of_keys() -> None:
    table = _Table()
    read = grouped_read(table.fetch, keys_max=2)
    assert await asyncio.gather(*map(read.get, ("a", "b", "c"))) == [1, 2, None]
    assert table.queries == [["a", "b"], ["c"]]


async def test_a_lost_connection_is_tried_once_more() -> None:
    table = _Table(ConnectionResetError())
    assert await grouped_read(table.fetch, keys_max=10).get("a") == 1
    assert len(table.queries) == 2


async def test_when_the_second_try_fails_each_caller_hears_that_the_store_is_unavailable() -> None:
    table = _Table(ConnectionResetError(), ConnectionResetError())
    read = grouped_read(table.fetch, keys_max=10)
    heard = await asyncio.gather(read.get("a"), read.get("b"), return_exceptions=True)
    assert [type(each) for each in heard] == [StoreUnavailable, StoreUnavailable]
    assert heard[0] is not heard[1]
    assert all(isinstance(each, BaseException) and each.__cause__ is not None for each in heard)


async def test_a_bug_is_raised_at_once() -> None:
    table = _Table(ZeroDivisionError())
    with pytest.raises(ZeroDivisionError):
        await grouped_read(table.fetch, keys_max=10).get("a")
    assert len(table.queries) == 1


@pytest.mark.parametrize("before", [(), (ConnectionResetError(),)])
async def test_a_server_that_is_too_slow_is_unavailable(before: tuple[Exception, ...]) -> None:
    table = _Table(*before, asyncpg.QueryCanceledError("canceling statement due to statement timeout"))
    with pytest.raises(StoreUnavailable):
        await grouped_read(table.fetch, keys_max=10).get("a")
    assert len(table.queries) == len(before) + 1
