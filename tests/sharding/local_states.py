"""The states that one process can be in, as numbers: a generator cannot be copied, so it is replayed.

Two ways that lead to the same suspended frames, with the same variables, are the same state: what happens
next depends on nothing else. So the search meets each state once, and not once for each way.
"""

from collections.abc import Callable
from inspect import getgeneratorlocals
from typing import Any, NamedTuple

from tests.sharding import operations as o
from tests.sharding.settling import Process

LOST = "<lost>"


class _Local(NamedTuple):
    results: tuple[Any, ...]
    call: o.Call | None
    answers: tuple[tuple[str, str], ...]


class LocalStates:
    """Number 0 is the state before the first call."""

    def __init__(self, make: Callable[[], Process]) -> None:
        self._make = make
        self._known: list[_Local] = []
        self._numbers: dict[Any, int] = {}
        self._after: dict[tuple[int, Any], int] = {}
        self._find(())

    def call(self, number: int) -> o.Call | None:
        """The next call; None: the process has ended."""
        return self._known[number].call

    def answers(self, number: int) -> tuple[tuple[str, str], ...]:
        """(key, last answer) of each command that was sent; `unknown` while there is none."""
        return self._known[number].answers

    def after(self, number: int, result: Any) -> int:
        """The state after the call's result, or after `LOST`."""
        known = self._after.get((number, result))
        if known is None:
            known = self._after[number, result] = self._find((*self._known[number].results, result))
        return known

    def _find(self, results: tuple[Any, ...]) -> int:
        process = self._make()
        try:
            call, answers = _replay(process, results)
            state = (call, answers, _frames(process))
        finally:
            process.close()
        if state not in self._numbers:
            self._numbers[state] = len(self._known)
            self._known.append(_Local(results, call, answers))
        return self._numbers[state]


def _replay(process: Process, results: tuple[Any, ...]) -> tuple[o.Call | None, tuple[tuple[str, str], ...]]:
    answers: dict[str, str] = {}
    left = iter(results)
    result: Any = None
    try:
        while True:
            operation = process.throw(o.Lost()) if result == LOST else process.send(result)
            result = None
            if isinstance(operation, o.Answered):
                answers[operation.key] = operation.answer
                continue
            try:
                result = next(left)
            except StopIteration:
                return operation, tuple(answers.items())
    except (StopIteration, o.Lost):
        return None, tuple(answers.items())


def _frames(process: Any) -> tuple[Any, ...]:
    """Where each of the nested generators is, and its variables."""
    found = []
    while process is not None and getattr(process, "gi_frame", None) is not None:
        variables = {name: repr(value) for name, value in getgeneratorlocals(process).items()}
        # An address in a text would make each replay another state.
        assert not any(" at 0x" in text for text in variables.values()), variables
        found.append((process.gi_code.co_name, process.gi_frame.f_lasti, tuple(sorted(variables.items()))))
        process = process.gi_yieldfrom
    return tuple(found)
