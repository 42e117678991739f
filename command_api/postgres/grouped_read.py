"""Grouped reads: all waiting look-ups are sent as one query, like appends.

At most one query of a kind is in flight; look-ups that come meanwhile go into the next one.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TypeVar

from command_api.executing.ports import StoreUnavailable
from shared.ops.concurrency.coalesced_reads import CoalescedReads
from shared.postgres.errors import is_transient, is_unavailable

K = TypeVar("K")
V = TypeVar("V")
Fetch = Callable[[list[K]], Awaitable[Mapping[K, V]]]


def grouped_read(fetch: "Fetch[K, V]", *, keys_max: int) -> CoalescedReads[K, V]:
    """`await read.get(key)`: the value, or None if the query finds none.

    Raises `StoreUnavailable` if the store is too slow, or cannot be reached even at a second attempt.
    """

    async def read(keys: list[K]) -> Sequence[V | None]:
        try:
            found = await _fetch_twice(fetch, keys)
        except Exception as error:
            if not is_unavailable(error):
                raise
            raise StoreUnavailable("the event store cannot be reached, or is too slow") from error
        return [found.get(key) for key in keys]

    return CoalescedReads(read, unavailable=StoreUnavailable, keys_max=keys_max)


async def _fetch_twice(fetch: "Fetch[K, V]", keys: list[K]) -> Mapping[K, V]:
    """Try again after a transient error: a pooled connection may have died since its last use. A server that
    does not answer in time is not asked again.
    """
    try:
        return await fetch(keys)
    except Exception as error:
        if not is_transient(error) or isinstance(error, TimeoutError):
            raise
    return await fetch(keys)
