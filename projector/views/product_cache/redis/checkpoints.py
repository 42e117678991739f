"""How far the documents in Redis are, kept in Redis itself: so a Redis that comes back older is noticed.

Each process knows what it has written, and Kafka's committed offsets what all have. If Redis has less, it has
lost writes, and some documents are old: an empty generation becomes live, and readers read the table.
The reasons are in decision 31. On a cluster each group of documents has checkpoints of its own (decision 39).
"""

from collections.abc import Collection

from redis.asyncio import Redis

from projector.applying.ports import EventLog
from projector.views.product_cache.redis.group_checkpoints import GroupCheckpoints, Offsets, scripts
from shared.redis.product_keys import KeyGroups
from shared.redis.together import together


class CacheCheckpoints:
    """The checkpoints of this process's partitions, in all groups. Methods raise `Unavailable`."""

    def __init__(self, redis: Redis, keys: KeyGroups, log: EventLog, *, settling_seconds: float) -> None:
        self._log = log
        used = scripts(redis)
        self._groups = [GroupCheckpoints(used, one, settling_seconds=settling_seconds) for one in keys.groups]

    async def placed(self, committed: Offsets, ordered: Collection[int]) -> None:
        """These partitions begin here. `ordered`: by `reposition`, maybe at an older place.

        While Redis is away the comparison waits, and comes before any other: a cache needs no Redis to begin.
        """
        # Kept for the batches: they go on while the event store is away.
        log_id = await self._log.log_id()
        await together([group.placed(log_id, committed, ordered) for group in self._groups])

    async def applied(self, reached: Offsets) -> None:
        """A batch is written up to here. Call it after the documents: it must not say too much."""
        await together([group.applied(reached) for group in self._groups])

    async def compare(self) -> None:
        """Has Redis what this process has written?"""
        await together([group.compare() for group in self._groups])

    def forget(self) -> None:
        """Another process may have the partitions now."""
        for group in self._groups:
            group.forget()
