"""The shards as one value, for the exhaustive search: a call gives another value, and the old one stays.

Each call does what the statements of `postgres_shards` do; a test runs the same schedules over both.
"""

from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar
from uuid import UUID

from tests.sharding import operations as o
from tests.sharding.checker import Found
from tests.sharding.stored_form import found_in

K = TypeVar("K")
V = TypeVar("V")
Map = tuple[tuple[K, V], ...]
_EMPTY = o.Stream((), 0)


class Shards(NamedTuple):
    """All shards. `rows` by name; `streams` by product; `fences`: what an append with a claim met or has
    left, by (shard, claim): the product that it was appended for, None: closed. `newest`: the last position
    of each shard; `clocks`: the floor that each shard's claims get.
    """

    rows: Map[str, o.Row] = ()
    streams: Map[UUID, o.Stream] = ()
    fences: Map[tuple[int, str], UUID | None] = ()
    keys: frozenset[tuple[int, str]] = frozenset()
    newest: tuple[int, ...] = (0,) * o.SHARDS
    clocks: tuple[int, ...] = (0,) * o.SHARDS

    def stream(self, product_id: UUID) -> o.Stream:
        """Empty, if the product has no events."""
        return _get(self.streams, product_id) or _EMPTY


def execute(shards: Shards, call: o.Call) -> tuple[Shards, Any]:
    """The shards after one call, and its result."""
    return _CALLS[type(call)](shards, call)


def _read_name(shards: Shards, call: o.ReadName) -> tuple[Shards, Any]:
    return shards, _get(shards.rows, call.name)


def _claim(shards: Shards, call: o.Claim) -> tuple[Shards, Any]:
    row = _get(shards.rows, call.name)
    if row is not None and not (row.is_held and row.product_id == call.product_id):
        return shards, row
    pending = o.Row(call.product_id, call.claim, False)
    return shards._replace(rows=_put(shards.rows, call.name, pending)), o.Claimed(
        shards.clocks[o.shard_of(call)]
    )


def _confirm(shards: Shards, call: o.Confirm) -> tuple[Shards, Any]:
    row = _get(shards.rows, call.name)
    if row is None or row.is_held or row.claim != call.claim:
        return shards, False
    return shards._replace(rows=_put(shards.rows, call.name, row._replace(is_held=True))), True


def _free(shards: Shards, call: o.Free) -> tuple[Shards, Any]:
    row, at = _get(shards.rows, call.name), o.shard_of(call)
    if row is None or row.is_held != call.is_held or row.claim != call.claim:
        return shards, False
    clocks = _raised(shards.clocks, at, call.position)
    return shards._replace(rows=_without(shards.rows, call.name), clocks=clocks), True


def _load(shards: Shards, call: o.Load) -> tuple[Shards, Any]:
    events, last_position = shards.stream(call.product_id)
    return shards, o.Stream(tuple(event._replace(position=0) for event in events), last_position)


def _append(shards: Shards, call: o.Append) -> tuple[Shards, Any]:
    at, stream = o.shard_of(call), shards.stream(call.product_id)
    # A sequence is not rolled back: it is raised also if the append is refused.
    shards = shards._replace(newest=_raised(shards.newest, at, call.floor))
    if (at, call.key) in shards.keys:
        return shards, o.Refused("duplicate")
    if len(stream.events) != call.expected_version:
        return shards, o.Refused("conflict")
    fences = shards.fences
    if call.claim is not None:
        if _get(fences, (at, call.claim), call.product_id) != call.product_id:
            return shards, o.Refused("fenced")
        fences = _put(fences, (at, call.claim), call.product_id)
    first = shards.newest[at] + 1
    new = tuple(event._replace(position=first + place) for place, event in enumerate(call.events))
    position = first + len(new) - 1
    grown = o.Stream((*stream.events, *new), position)
    return shards._replace(
        streams=_put(shards.streams, call.product_id, grown),
        fences=fences,
        keys=shards.keys | {(at, call.key)},
        newest=_raised(shards.newest, at, position),
    ), o.Appended(position)


def _fence_claim(shards: Shards, call: o.FenceClaim) -> tuple[Shards, Any]:
    fence = (o.shard_of(call), call.claim)
    if fence in dict(shards.fences):
        return shards, None
    return shards._replace(fences=_put(shards.fences, fence, None)), None


def _drop_open_claim(shards: Shards, call: o.DropOpenClaim) -> tuple[Shards, Any]:
    fence = (o.shard_of(call), call.claim)
    if _get(shards.fences, fence) is None:
        return shards, None
    return shards._replace(fences=_without(shards.fences, fence)), None


def _read_open_claims(shards: Shards, call: o.ReadOpenClaims) -> tuple[Shards, Any]:
    opened = ((claim, product) for (at, claim), product in shards.fences if at == call.shard and product)
    return shards, tuple(sorted(opened))


def _read_pending_names(shards: Shards, call: o.ReadPendingNames) -> tuple[Shards, Any]:
    at = call.shard
    return shards, tuple(n for n, row in shards.rows if not row.is_held and o.shard_of_text(n) == at)


def _find_key(shards: Shards, call: o.FindKey) -> tuple[Shards, Any]:
    return shards, (call.shard, call.key) in shards.keys


def _get(entries: Map[K, V], key: K, absent: V | None = None) -> V | None:
    for one, value in entries:
        if one == key:
            return value
    return absent


def _put(entries: Map[K, V], key: K, value: V) -> Map[K, V]:
    return tuple(sorted((*_without(entries, key), (key, value)), key=lambda entry: entry[0]))  # type: ignore[arg-type, return-value]


def _without(entries: Map[K, V], key: K) -> Map[K, V]:
    return tuple(entry for entry in entries if entry[0] != key)


def _raised(numbers: tuple[int, ...], at: int, number: int) -> tuple[int, ...]:
    return tuple(max(one, number) if place == at else one for place, one in enumerate(numbers))


_CALLS: dict[type, Callable[[Shards, Any], tuple[Shards, Any]]] = {
    o.ReadName: _read_name,
    o.Claim: _claim,
    o.Confirm: _confirm,
    o.Free: _free,
    o.Load: _load,
    o.Append: _append,
    o.FenceClaim: _fence_claim,
    o.DropOpenClaim: _drop_open_claim,
    o.ReadOpenClaims: _read_open_claims,
    o.ReadPendingNames: _read_pending_names,
    o.FindKey: _find_key,
}


class MemoryShards:
    """The adapter of the simulation."""

    def __init__(self, shards: Shards | None = None) -> None:
        self.shards = shards or Shards()

    async def execute(self, call: o.Call) -> Any:
        """Its result."""
        self.shards, result = execute(self.shards, call)
        return result

    async def execute_without_answer(self, call: o.Call) -> None:
        """Nobody hears of it."""
        await self.execute(call)

    async def end_during(self, call: o.Call) -> None:
        """Nothing has happened."""

    async def log(self) -> list[Found]:
        """All events."""
        return found_in(self.shards.streams)

    async def names(self) -> dict[str, tuple[UUID, bool]]:
        """All rows of names."""
        return {name: (row.product_id, row.is_held) for name, row in self.shards.rows}
