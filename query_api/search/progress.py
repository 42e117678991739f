"""Which writes the live index shows, and the readers that wait for theirs: on a future, without polling.

A Consistency-Token names log positions by partition; a token of one product also has its id and stream
version. The topic has states, not events, so a position needs a second thought:

- A position counts as applied when the partition was read to its end, and everything read is in the index.
  The publisher sends the waiting states of a partition in the order of their positions, each product once,
  with its newest version. So after Y at 10 there may come X at 12, and X's event at 5, which a newer state
  has replaced, is not shown before that. Both are in one transaction, which is read to its end. (Only if more
  than one transaction waits, more than 500 products or 4 MB of one partition, and two people change X at the
  same time, the end of the first one says too much, for one of them, for a moment.)
- A version that was applied lately decides alone, in both directions: it is exact, and there sooner.
- A parked product makes no state, so a token of it is not met: 503, as for single reads. Tokens of other
  products of its partition are: their own states have higher positions.
- Events that make no state (a change that a newer one replaces before it is published) need none: the state
  that comes has a higher position.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from time import perf_counter
from uuid import UUID

from query_api.errors import Overloaded, ReadModelBehind
from query_api.search.ports import IndexedState
from shared.contract.consistency_token import ConsistencyToken
from shared.ops.metrics.reads import CONSISTENCY_WAIT_SECONDS
from shared.ops.metrics.requests import WAITING_READERS
from shared.ops.overload.place import resting
from shared.telemetry import conventions as c
from shared.telemetry.tracing import span

VERSIONS_MAX = 20_000
"""More than arrive while the longest wait lasts."""
_waited, _waited_in_vain = (CONSISTENCY_WAIT_SECONDS.labels(one).observe for one in ("visible", "behind"))


class IndexProgress:
    """Of the live index. At most `waiters_max` readers wait at the same time."""

    def __init__(self, *, waiters_max: int, versions_max: int = VERSIONS_MAX) -> None:
        self._waiters_max = waiters_max
        self._versions_max = versions_max
        self._positions: dict[int, int] = {}
        self._versions: OrderedDict[UUID, int] = OrderedDict()
        self._waiters: dict[asyncio.Future[None], ConsistencyToken] = {}
        self.is_awaited = asyncio.Event()
        """Set while any reader waits."""

    @property
    def waiting(self) -> int:
        """The number of waiting readers: with any, the feed commits sooner."""
        return len(self._waiters)

    @property
    def positions(self) -> Mapping[int, int]:
        """By partition the log position up to which the index shows everything."""
        return self._positions

    def begin(self, positions: Mapping[int, int]) -> None:
        """Another index is live, with these positions. They may be lower than those of the last one."""
        self._positions = dict(positions)
        self._versions.clear()
        self._release()

    def advance(self, states: Iterable[IndexedState], positions: Mapping[int, int]) -> None:
        """The live index shows these states, and everything up to these positions."""
        self._positions.update(positions)
        for state in states:
            self._versions[state.product_id] = state.stream_version
            self._versions.move_to_end(state.product_id)
        while len(self._versions) > self._versions_max:
            self._versions.popitem(last=False)
        self._release()

    async def reach(self, token: ConsistencyToken, wait_seconds: float) -> None:
        """Return when searches show the token's write.

        Raises `ReadModelBehind` after `wait_seconds`, or `Overloaded`.
        """
        if self._is_met(token):
            _waited(0.0)
            return
        if len(self._waiters) >= self._waiters_max:
            raise Overloaded(WAITING_READERS, "too many readers are waiting for their writes")
        with span(c.WAIT_FOR_WRITE):
            await self._wait(token, wait_seconds)

    async def _wait(self, token: ConsistencyToken, wait_seconds: float) -> None:
        shown: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiters[shown] = token
        self.is_awaited.set()
        began = perf_counter()
        try:
            async with asyncio.timeout(wait_seconds):
                with resting():
                    await shown
            _waited(perf_counter() - began)
        except TimeoutError as error:
            _waited_in_vain(perf_counter() - began)
            raise ReadModelBehind(
                "the write that the token stands for is not in the search index yet"
            ) from error
        finally:
            del self._waiters[shown]
            if not self._waiters:
                self.is_awaited.clear()

    def _release(self) -> None:
        for shown, token in self._waiters.items():
            if not shown.done() and self._is_met(token):
                shown.set_result(None)

    def _is_met(self, token: ConsistencyToken) -> bool:
        if token.product_id is not None and token.stream_version is not None:
            applied_version = self._versions.get(token.product_id)
            if applied_version is not None:
                return applied_version >= token.stream_version
        return all(self._positions.get(at, -1) >= position for at, position in token.positions.items())
