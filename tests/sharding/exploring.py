"""Bounded model checking: all interleavings of a few processes, with lost and late calls, breadth first.

A process that crashed or paused is one that is not scheduled any more, or not for a while: both are among the
interleavings. A lost call stays under way, and is executed at any later step, or never. In each state the
logs are checked, and whether the sweeper alone could settle everything from there.
"""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from tests.sharding import operations as o
from tests.sharding.checker import broken_histories, holders_now, lost_names, shared_names, wrong_answers
from tests.sharding.faults import Faults
from tests.sharding.local_states import LOST, LocalStates
from tests.sharding.memory_shards import Shards, execute
from tests.sharding.settling import Process, sweep
from tests.sharding.stored_form import found_in

SWEEPS_MAX = 3
_READS = (o.ReadName, o.Load, o.ReadOpenClaims, o.ReadPendingNames, o.FindKey)


class State(NamedTuple):
    """One moment. `shards` and `locals` are numbers of known values; `under_way`: lost calls that may still
    be executed.
    """

    shards: int
    under_way: tuple[o.Call, ...]
    locals: tuple[int, ...]
    losses_left: int


@dataclass(frozen=True, slots=True)
class Explored:
    """`violation`: the first that was found, and the steps that lead there; None: none in all `states`.
    `endings`: the answers of all commands, in order, where all processes have ended.
    """

    states: int
    violation: str | None
    steps: tuple[str, ...] = ()
    endings: frozenset[tuple[str, ...]] = frozenset()


class Explorer:
    """Explores some processes; each is made anew as often as necessary."""

    def __init__(self, processes: Sequence[Callable[[], Process]]) -> None:
        self._locals = [LocalStates(make) for make in processes]
        self._values: list[Shards] = []
        self._numbers: dict[Shards, int] = {}
        self._effects: dict[tuple[int, o.Call], tuple[int, Any]] = {}
        self._verdicts: dict[int, str | None] = {}
        self._answers: dict[tuple[int, int, int], str | None] = {}

    def explore(self, shards: Shards, *, losses_max: int, states_max: int) -> Explored:
        """Until a violation, or until all states are seen. Raises `OverflowError` if there are more."""
        first = State(self._number(shards), (), (0,) * len(self._locals), losses_max)
        came_from: dict[State, tuple[State, str] | None] = {first: None}
        waiting = deque([first])
        ends: set[tuple[int, ...]] = set()
        while waiting:
            state = waiting.popleft()
            violation = self._verdict(state)
            if violation is not None:
                return Explored(len(came_from), violation, _steps(came_from, state))
            if self._is_over(state):
                ends.add(state.locals)
            for step, after in self._steps_from(state):
                if after not in came_from:
                    came_from[after] = (state, step)
                    waiting.append(after)
            if len(came_from) > states_max:
                raise OverflowError(f"more than {states_max} states")
        return Explored(len(came_from), None, endings=frozenset(map(self._ending, ends)))

    def _is_over(self, state: State) -> bool:
        return all(self._locals[number].call(local) is None for number, local in enumerate(state.locals))

    def _ending(self, ended: tuple[int, ...]) -> tuple[str, ...]:
        return tuple(
            answer for number, local in enumerate(ended) for _, answer in self._locals[number].answers(local)
        )

    def _steps_from(self, state: State) -> Iterator[tuple[str, State]]:
        for number, local in enumerate(state.locals):
            call = self._locals[number].call(local)
            if call is None:
                continue
            shards, result = self._effect(state.shards, call)
            after = _with(state.locals, number, self._locals[number].after(local, result))
            yield f"{number}: {call} -> {result}", State(shards, state.under_way, after, state.losses_left)
            if state.losses_left:
                under_way = state.under_way if isinstance(call, _READS) else (*state.under_way, call)
                after = _with(state.locals, number, self._locals[number].after(local, LOST))
                yield (
                    f"{number}: {call} -> lost",
                    State(state.shards, under_way, after, state.losses_left - 1),
                )
        for place, late in enumerate(state.under_way):
            shards, _ = self._effect(state.shards, late)
            under_way = state.under_way[:place] + state.under_way[place + 1 :]
            yield f"late: {late}", State(shards, under_way, state.locals, state.losses_left)

    def _number(self, shards: Shards) -> int:
        if shards not in self._numbers:
            self._numbers[shards] = len(self._values)
            self._values.append(shards)
        return self._numbers[shards]

    def _effect(self, number: int, call: o.Call) -> tuple[int, Any]:
        known = self._effects.get((number, call))
        if known is None:
            shards, result = execute(self._values[number], call)
            known = self._effects[number, call] = (self._number(shards), result)
        return known

    def _verdict(self, state: State) -> str | None:
        if state.shards not in self._verdicts:
            self._verdicts[state.shards] = verdict_on(self._values[state.shards])
        return self._verdicts[state.shards] or next(
            filter(None, map(self._answer_of(state), *_places(state))), None
        )

    def _answer_of(self, state: State) -> Callable[[int, int], str | None]:
        def wrong(number: int, local: int) -> str | None:
            asked = (state.shards, number, local)
            if asked not in self._answers:
                streams = self._values[state.shards].streams
                faults = wrong_answers(self._locals[number].answers(local), found_in(streams))
                self._answers[asked] = faults[0] if faults else None
            return self._answers[asked]

        return wrong


def verdict_on(shards: Shards) -> str | None:
    """What is wrong now, or would stay wrong if all processes ended here and only the sweeper ran."""
    found = found_in(shards.streams)
    owners = {product_id: o.shard_of_product(product_id) for product_id, _ in shards.streams}
    doubles = [
        f"{name} is held by two products" for name, held in holders_now(found).items() if len(held) > 1
    ]
    wrong = [*broken_histories(found, owners), *doubles, *shared_names(found)]
    if wrong:
        return wrong[0]
    swept = shards
    for _ in range(SWEEPS_MAX):
        swept = run_alone(swept, sweep(Faults.NONE))
    rows = {name: (row.product_id, row.is_held) for name, row in swept.rows}
    open_claims = [claim for (_, claim), product in swept.fences if product is not None]
    lost = lost_names(holders_now(found), rows, open_claims)
    return lost[0] if lost else None


def run_alone(shards: Shards, process: Process) -> Shards:
    """The shards after one process that nothing interrupts."""
    result: Any = None
    while True:
        try:
            operation = process.send(result)
        except StopIteration:
            return shards
        result = None
        if not isinstance(operation, o.Answered):
            shards, result = execute(shards, operation)


def _places(state: State) -> tuple[range, tuple[int, ...]]:
    return range(len(state.locals)), state.locals


def _with(numbers: tuple[int, ...], place: int, number: int) -> tuple[int, ...]:
    return (*numbers[:place], number, *numbers[place + 1 :])


def _steps(came_from: dict[State, tuple[State, str] | None], state: State) -> tuple[str, ...]:
    steps: list[str] = []
    link = came_from[state]
    while link is not None:
        state, step = link
        steps.append(step)
        link = came_from[state]
    return tuple(reversed(steps))
