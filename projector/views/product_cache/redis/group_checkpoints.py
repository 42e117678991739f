"""The checkpoints of one group of documents: each primary of a cluster loses writes for itself."""

import asyncio
from collections.abc import Collection, Mapping
from contextlib import suppress
from importlib.resources import files
from typing import Literal, NamedTuple
from uuid import UUID

from redis.asyncio import Redis
from redis.commands.core import AsyncScript

from projector.errors import Unavailable
from projector.views.product_cache.redis.failures import translated
from shared.ops.logs import get_logger
from shared.ops.metrics.projections import CACHE_STARTED_ANEW
from shared.redis.product_keys import ProductKeys

Offsets = Mapping[int, int]
"""Partition -> the next offset."""
_Mode = Literal["", "1", "2"]
_OURS: _Mode = ""
_PLACES: _Mode = "1"
_NEW_PLACES: _Mode = "2"
_AS_KNOWN, _EMPTY = "as-known", "empty"
_ATTEMPTS_MAX = 10
_FILES = ("check_cache.lua", "start_anew.lua")
_package = files("projector.views.product_cache.redis")
_log = get_logger(__name__)


class Scripts(NamedTuple):
    """The same for all groups."""

    check: AsyncScript
    start_anew: AsyncScript


def scripts(redis: Redis) -> Scripts:
    """Of the files beside this one."""
    return Scripts(*(redis.register_script(_package.joinpath(name).read_text()) for name in _FILES))


class GroupCheckpoints:
    """What a group has of this process's partitions. Methods raise `Unavailable`."""

    def __init__(self, scripts: Scripts, keys: ProductKeys, *, settling_seconds: float) -> None:
        self._keys = keys
        self._settling_milliseconds = int(settling_seconds * 1000)
        self._check, self._start_anew = scripts
        self._log_id: UUID | None = None
        self._epoch = 0
        self._reached: dict[int, int] = {}
        self._wanted: dict[int, int] = {}
        self._ordered: dict[int, int] = {}
        self._is_placed = True
        self._placing = asyncio.Lock()

    async def placed(self, log_id: UUID, committed: Offsets, ordered: Collection[int]) -> None:
        """As in `CacheCheckpoints`."""
        self._log_id = log_id
        self._wanted |= {one: offset for one, offset in committed.items() if one not in ordered}
        self._ordered |= {one: committed[one] for one in ordered}
        self._is_placed = False
        with suppress(Unavailable):
            await self._compare_places()
        self._reached |= committed

    async def applied(self, reached: Offsets) -> None:
        """A batch is written up to here. Call it after the documents: it must not say too much."""
        await self._compare_places()
        required = {one: self._reached[one] for one in reached.keys() & self._reached.keys()}
        await self._compare(required, reached, _OURS)
        for one, offset in reached.items():
            self._reached[one] = max(offset, self._reached.get(one, 0))

    async def compare(self) -> None:
        """Has Redis what this process has written?"""
        await self._compare_places()
        reached = dict(self._reached)
        await self._compare(reached, reached, _OURS)

    def forget(self) -> None:
        """Another process may have the partitions now."""
        for offsets in (self._reached, self._wanted, self._ordered):
            offsets.clear()

    async def _compare_places(self) -> None:
        """Also without any: else the first documents would be there before the hash, as if it were lost."""
        async with self._placing:
            if self._is_placed:
                return
            wanted, ordered = dict(self._wanted), dict(self._ordered)
            await self._compare(wanted, wanted, _PLACES)
            if ordered:
                await self._compare({}, ordered, _NEW_PLACES)
            if (wanted, ordered) == (self._wanted, self._ordered):
                self._wanted, self._ordered, self._is_placed = {}, {}, True

    async def _compare(self, required: Offsets, reached: Offsets, mode: _Mode) -> None:
        log_id = self._log_id
        if log_id is None:
            return  # nothing was placed yet, so nothing is known
        for _ in range(_ATTEMPTS_MAX):
            what, epoch = await self._ask(log_id, required, reached, mode)
            if what in (_AS_KNOWN, _EMPTY):
                self._epoch = max(self._epoch, int(epoch))
                if what == _EMPTY:
                    CACHE_STARTED_ANEW.labels(_EMPTY).inc()
                    _log.info("the cache is empty")
                return
            required = {}
            await self._begin_generation(what, epoch, log_id)

    async def _ask(self, log_id: UUID, required: Offsets, reached: Offsets, mode: _Mode) -> tuple[str, str]:
        offsets = [part for one, offset in reached.items() for part in (one, required.get(one, ""), offset)]
        with translated():
            answer = await self._check(
                keys=[self._keys.checkpoint_key, self._keys.generation_key, self._keys.since_key],
                args=[str(log_id), self._epoch or "", mode, self._settling_milliseconds, *offsets],
            )
        what, epoch = (part.decode() for part in answer)
        return what, epoch

    async def _begin_generation(self, reason: str, epoch: str, log_id: UUID) -> None:
        keys = self._keys
        with translated():
            generation, new_epoch = await self._start_anew(
                keys=[
                    keys.checkpoint_key, keys.generation_key, keys.last_key, keys.since_key, keys.frozen_key,
                ],
                args=[epoch, self._epoch or "", keys.generation, str(log_id), reason],
            )  # fmt: skip
        if generation < 0:
            return
        self._epoch = int(new_epoch)
        keys.learn(str(generation))
        CACHE_STARTED_ANEW.labels(reason).inc()
        _log.warning("the cache is started anew", reason=reason, generation=generation)
