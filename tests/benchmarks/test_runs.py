"""Rows of one table, and of several, take their figures from the same run of a round."""

from itertools import count

import pytest

from tests.benchmarks.runs import Runs


async def test_figures_of_a_round_are_from_one_run() -> None:
    numbers = count(1)

    async def run() -> int:
        return next(numbers)

    runs = Runs(run)
    p50, p99 = runs.figure(float), runs.figure(lambda number: number * 10.0)
    assert [await p50(), await p99(), await p50(), await p99()] == [1, 10, 2, 20]
    assert runs.made == [1, 2]


async def test_a_failed_run_fails_all_its_rows_and_is_not_repeated() -> None:
    numbers = count(1)

    async def run() -> int:
        if (number := next(numbers)) == 1:
            raise RuntimeError("no broker")
        return number

    runs = Runs(run)
    p50, p99 = runs.figure(float), runs.figure(float)
    for measure in (p50, p99):
        with pytest.raises(RuntimeError, match="no broker"):
            await measure()
    assert await p50() == 2
    assert runs.made == [2]
