"""Settling a name: whoever finds a row asks the log of its product, and makes the row say the same.

If the row is pending, its claim is fenced first: afterwards its append is in the log, or never
will be.
"""

from collections.abc import Generator, Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from tests.sharding import operations as o
from tests.sharding.commands import names_of
from tests.sharding.faults import Faults

TRIES_MAX = 2
Process = Generator[o.Operation, Any, None]


@dataclass(frozen=True, slots=True)
class Settled:
    """The holder of a name, None: free. `is_known` False: others were quicker, each time."""

    holder: UUID | None
    is_known: bool = True


def sweep(faults: Faults) -> Process:
    """Settles what others have left: appended claims on each shard, and pending names."""
    for shard in range(o.SHARDS):
        open_claims = yield o.ReadOpenClaims(shard)
        for claim, product_id in open_claims:
            stream = yield o.Load(product_id)
            yield from finish(product_id, claim, _touched(stream.events, claim), faults)
        pending = yield o.ReadPendingNames(shard)
        for name in pending:
            yield from settle(name, faults)


def settle(name: str, faults: Faults, *, own: str | None = None) -> Generator[o.Operation, Any, Settled]:
    """Find out from the log who holds a name, and make its row say so. `own`: a claim whose append is over,
    so that it needs no fence.
    """
    for _ in range(TRIES_MAX):
        row: o.Row | None = yield o.ReadName(name)
        if row is None:
            return Settled(None)
        if not row.is_held and Faults.RELEASES_BY_TIME_ALONE in faults:
            yield o.Free(name, row.claim, row.is_held, 0)
            continue
        stream = yield from _load_for_good(row, own, faults)
        if name not in names_of(stream.events):
            yield o.Free(name, row.claim, row.is_held, stream.last_position)
        elif row.is_held or (yield o.Confirm(name, row.claim)):
            return Settled(row.product_id)
    return Settled(None, is_known=False)


def finish(
    product_id: UUID, claim: str, names: Iterable[str], faults: Faults
) -> Generator[o.Operation, Any, None]:
    """Settle the names that an appended claim has touched, then forget the claim."""
    seen = o.Stream((), 0)
    if Faults.LOOKS_BEFORE_IT_READS_THE_ROW in faults:
        seen = yield o.Load(product_id)
    for name in names:
        row: o.Row | None = yield o.ReadName(name)
        if row is None or row.product_id != product_id:
            continue
        # A row that another claim has made pending, too: whoever made it may be about to confirm it.
        if Faults.LEAVES_A_PENDING_ROW_TO_OTHERS in faults and not row.is_held and row.claim != claim:
            continue
        if Faults.LOOKS_BEFORE_IT_READS_THE_ROW in faults and name not in names_of(seen.events):
            yield o.Free(name, row.claim, row.is_held, seen.last_position)
        elif not (yield from settle(name, faults, own=claim)).is_known:
            return
    yield o.DropOpenClaim(product_id, claim)


def _load_for_good(row: o.Row, own: str | None, faults: Faults) -> Generator[o.Operation, Any, o.Stream]:
    """The stream of a row's product, to which the row's claim can add nothing more."""
    must_close = not row.is_held and row.claim != own
    looks_first = Faults.LOOKS_BEFORE_IT_FENCES in faults
    if must_close and not looks_first:
        yield o.FenceClaim(row.product_id, row.claim)
    stream: o.Stream = yield o.Load(row.product_id)
    if must_close and looks_first:
        yield o.FenceClaim(row.product_id, row.claim)
    return stream


def _touched(events: tuple[o.Event, ...], claim: str) -> list[str]:
    return sorted({name for event in events if event.claim == claim for name in (*event.given, *event.taken)})
