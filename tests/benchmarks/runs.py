"""Figures that belong together come from one run: a p99 beside the p50 of another minute says nothing.

A table asks its rows for one figure a round. Here the first row of a round makes the run, and all other rows
and tables take theirs from the same one.
"""

from collections.abc import Awaitable, Callable, Sequence
from itertools import count
from typing import Generic, TypeVar

from tests.benchmarks.table import Measure

T = TypeVar("T")


class Runs(Generic[T]):
    """The runs of all rounds. A run that failed fails every row that asks for it, and is not repeated."""

    def __init__(self, run: Callable[[], Awaitable[T]]) -> None:
        self._run = run
        self._made: list[T | Exception] = []

    @property
    def made(self) -> Sequence[T]:
        """Those that did not fail, in their order."""
        return [each for each in self._made if not isinstance(each, Exception)]

    def figure(self, of: Callable[[T], float]) -> Measure:
        """What a row measures: a figure of the first run in the first round, and so on."""
        rounds = count()

        async def measure() -> float:
            number = next(rounds)
            while len(self._made) <= number:
                await self._make()
            made = self._made[number]
            if isinstance(made, Exception):
                raise made
            return of(made)

        return measure

    async def _make(self) -> None:
        try:
            self._made.append(await self._run())
        except Exception as error:  # told by each row that needs this run
            self._made.append(error)
