"""Documents in the memory of this process, in front of Redis, for single reads by id.

A document is kept only while Redis tells this process of every change (`redis/tracking.py`), and for
`seconds_max` at most, in case one is not told. The race is between the read of Redis and the keeping of what
was read: a change that is told in between must win. So a read takes a ticket for each id before it asks
Redis; a change takes the ticket away, and what was read without one is not kept. (Memcached's leases solve
the same race: Nishtala and others, "Scaling Memcache at Facebook", NSDI 2013, 3.2.1.)

Documents that are read often are read again before they end, so that no reader waits for Redis (refresh
ahead, as Caffeine's `refreshAfterWrite`). Lives are so short that the oldest document is also the next to
end: it makes room.
"""

import random
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence

from shared.contract.cached_document import CachedDocument, unpack
from shared.ops.metrics.local_cache import (
    LOCAL_CACHE_BYTES,
    LOCAL_CACHE_ENTRIES,
    LOCAL_CACHE_FLUSHES,
    LOCAL_CACHE_REFRESHES,
    LOCAL_CACHE_REQUESTS,
    LOCAL_CACHE_TRUSTED,
    FlushReason,
)

Generation = int | tuple[int, ...]
"""Of all documents, or of each group of a cluster."""
# An entry's objects, its place in the table, and the lines of its answer.
OVERHEAD_BYTES = 1000
# Lives vary, so that documents that were read together do not end together.
LIFE_MIN = 0.8
REFRESH_AFTER = 0.7
REFRESH_READS_MIN = 3
_hits, _misses = (LOCAL_CACHE_REQUESTS.labels(result) for result in ("hit", "miss"))


class LocalEntry:
    """A document, live or tombstone. `head` is free for the lines of its answer, which HTTP makes once."""

    __slots__ = ("document", "expires", "head", "reads", "refresh_from", "size_bytes")

    def __init__(self, document: CachedDocument, began: float, seconds: float) -> None:
        self.document = document
        self.head = b""
        self.reads = 0
        self.expires = began + seconds
        self.refresh_from = began + seconds * REFRESH_AFTER
        self.size_bytes = len(document.body) + OVERHEAD_BYTES


class Load:
    """The ticket of one read of Redis. Its documents are as old as its beginning."""

    __slots__ = ("began",)

    def __init__(self, began: float) -> None:
        self.began = began


class LocalCache:
    """Bounded by bytes and entries; `bytes_max` 0: keeps nothing. For one event loop.

    `refresh` is called with the id of a document that is read often and about to end.
    """

    def __init__(
        self,
        *,
        bytes_max: int,
        entries_max: int,
        seconds_max: float,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self.bytes_max = bytes_max
        self.refresh: Callable[[str], object] = lambda _: None
        self._entries_max = entries_max
        self._seconds_max = seconds_max
        self._now = now
        self._entries: OrderedDict[str, LocalEntry] = OrderedDict()
        self._loads: dict[str, Load] = {}
        self._bytes = 0
        self._generation: Generation | None = None
        self._trusted_until = 0.0
        self._hits = self._misses = 0
        LOCAL_CACHE_ENTRIES.set_function(lambda: len(self._entries))
        LOCAL_CACHE_BYTES.set_function(lambda: self._bytes)
        LOCAL_CACHE_TRUSTED.set_function(lambda: self.is_trusted)

    @property
    def is_trusted(self) -> bool:
        """Whether changes are being told."""
        return self._now() < self._trusted_until

    def get(self, product_id: str) -> LocalEntry | None:
        """The entry, if it has not ended, and changes are being told."""
        now = self._now()
        if now >= self._trusted_until:
            return None
        entry = self._entries.get(product_id)
        if entry is None or now >= entry.expires:
            self._misses += 1
            return None
        self._hits += 1
        entry.reads += 1
        if now >= entry.refresh_from and entry.reads >= REFRESH_READS_MIN:
            # Once for each entry: a refresh that fails lets it end.
            entry.refresh_from = entry.expires
            LOCAL_CACHE_REFRESHES.inc()
            self.refresh(product_id)
        return entry

    def begin(self, product_ids: Iterable[str]) -> Load:
        """The ticket for a read that begins now. An id whose ticket another read has keeps that one."""
        load = Load(self._now())
        if self._generation is not None:
            for product_id in product_ids:
                self._loads.setdefault(product_id, load)
        return load

    def keep(
        self, load: Load, product_ids: Sequence[str], values: Sequence[bytes | None], generation: Generation
    ) -> None:
        """What Redis has answered from this generation of its documents: keep what still has its ticket.

        A read without a ticket may have seen a newer document than the read that has it, and than the entry;
        both go, so that no later reader of this process gets an older document.
        """
        for product_id, value in zip(product_ids, values, strict=True):
            has_ticket = self._loads.pop(product_id, None) is load
            document = None if value is None else _unpacked(value)
            if document is None:
                self._drop(product_id)
            elif has_ticket and generation == self._generation:
                self._put(product_id, LocalEntry(document, load.began, self._life_seconds()))
            else:
                entry = self._entries.get(product_id)
                if entry is not None and entry.document.stream_version < document.stream_version:
                    self._drop(product_id)
        self._make_room()

    def abandon(self, load: Load, product_ids: Iterable[str]) -> None:
        """The read has failed."""
        for product_id in product_ids:
            if self._loads.get(product_id) is load:
                del self._loads[product_id]

    def invalidate(self, product_id: str) -> None:
        """The document has changed in Redis."""
        self._loads.pop(product_id, None)
        self._drop(product_id)

    def open(self, generation: Generation) -> None:
        """From now on all changes of this generation's documents are told."""
        self._generation = generation if self.bytes_max else None

    def trust_until(self, moment: float) -> None:
        """Changes before now have been told; without another call, entries are not used after `moment`."""
        if self._generation is not None:
            self._trusted_until = moment
        self._count()
        while self._entries and next(iter(self._entries.values())).expires <= self._now():
            self._drop(next(iter(self._entries)))

    def close(self, reason: FlushReason) -> None:
        """Changes are not told any more: forget everything, also what is being read."""
        if self._generation is not None:
            LOCAL_CACHE_FLUSHES.labels(reason).inc()
        self._generation = None
        self._trusted_until = 0.0
        self._entries.clear()
        self._loads.clear()
        self._bytes = 0
        self._count()

    def _put(self, product_id: str, entry: LocalEntry) -> None:
        same = self._drop(product_id)
        if same is not None and same.document == entry.document:
            entry.head = same.head
        self._entries[product_id] = entry
        self._bytes += entry.size_bytes

    def _drop(self, product_id: str) -> LocalEntry | None:
        entry = self._entries.pop(product_id, None)
        if entry is not None:
            self._bytes -= entry.size_bytes
        return entry

    def _make_room(self) -> None:
        while self._bytes > self.bytes_max or len(self._entries) > self._entries_max:
            _, entry = self._entries.popitem(last=False)
            self._bytes -= entry.size_bytes

    def _life_seconds(self) -> float:
        return self._seconds_max * random.uniform(LIFE_MIN, 1.0)  # noqa: S311

    def _count(self) -> None:
        """Counted here, not with each read: a counter costs more than the read."""
        _hits.inc(self._hits)
        _misses.inc(self._misses)
        self._hits = self._misses = 0


def _unpacked(value: bytes) -> CachedDocument | None:
    """None if this release cannot read it."""
    try:
        return unpack(value)
    except ValueError:
        return None
