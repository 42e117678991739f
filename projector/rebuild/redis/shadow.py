"""The next generation of the cache: filled beside the live one, compared with it, switched in one step.

Before the switch, writes are frozen for a moment, and the generation is brought to the end of the log, which
has everything that a projector can have written. Then one key is set. Writers and readers compare that key
(see `shared/redis/product_keys.py`). The progress is in PostgreSQL, as for every rebuild.
"""

import asyncio
import json
import uuid
from collections.abc import AsyncIterator, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from importlib.resources import files
from uuid import UUID

from redis.asyncio import Redis

from projector.applying.ports import Change, Held
from projector.errors import CannotGoOn
from projector.rebuild.bulk_fold import Failed
from projector.rebuild.ports import CacheRecords, CatchingUp, Comparison, Record
from projector.rebuild.redis.shadow_comparison import ProductIds, compare
from projector.views.product_cache.redis.documents import CachedProducts
from projector.views.product_cache.redis.failures import translated
from shared.contract.addresses import cache_checkpoint_key, product_key
from shared.contract.cached_document import pack
from shared.contract.views import ProductDocument, encode_document
from shared.redis.bulk_documents import BulkDocuments
from shared.redis.product_keys import ProductKeys

_FREEZE_MILLISECONDS = 5_000
_SWITCH_ATTEMPTS_MAX = 20
_PAUSE_SECONDS = 0.2
_KEYS_PER_SCAN = 1_000
_LOST = (
    "Redis lost writes since the rebuild began, so that its documents may be old: drop it with `rebuild "
    "product_cache --cancel`, and begin again"
)
_script = files("shared.redis").joinpath("switch_generation.lua").read_text()
_mark_script = files("projector.rebuild.redis").joinpath("move_mark.lua").read_text()


class RedisShadow:
    """Implements `Shadow`. Times to live are in seconds."""

    def __init__(
        self,
        redis: Redis,
        records: CacheRecords[ProductDocument],
        product_ids: ProductIds,
        *,
        key_prefix: str,
        ttl_seconds: float,
        tombstone_ttl_seconds: float,
        settling_seconds: float,
    ) -> None:
        self._redis = redis
        self._records = records
        self._product_ids = product_ids
        self._key_prefix = key_prefix
        self._ttl_seconds = ttl_seconds
        self._tombstone_ttl_seconds = tombstone_ttl_seconds
        self._settling_seconds = settling_seconds
        self._switch = redis.register_script(_script)
        self._move_mark = redis.register_script(_mark_script)

    async def next_generation(self) -> int:
        """A number that was never used, or whose keys a flush has deleted."""
        keys = ProductKeys(self._key_prefix)
        with translated():
            live = int(await self._redis.get(keys.generation_key) or 0)
            last = int(await self._redis.incr(keys.last_key))
            if last <= live:
                last = live + 1
                await self._redis.set(keys.last_key, last)
            await self._redis.delete(ProductKeys(self._key_prefix, last).mark_key)
        return last

    async def make(self) -> None:
        """A new generation is empty."""

    async def load(
        self,
        which: int,
        events: int,
        changes: Iterable[Change[ProductDocument]],
        failures: Mapping[UUID, Failed],
    ) -> None:
        """Deleted products get their tombstones in the catch-up: a late event must find them."""
        async with self._records.owned(is_long=True):
            # This would replace newer documents of another process that continued with this generation.
            keys = ProductKeys(self._key_prefix, (await self._record()).generation)
            with translated():
                bulk = BulkDocuments(self._redis, ttl_seconds=self._ttl_seconds)
                await bulk.store(_packed(keys, changes))
        await self._records.slice_loaded(which, events, failures)

    async def finish_loading(self) -> None:
        """A generation needs no indexes."""

    @asynccontextmanager
    async def begin(self, reached: int | None) -> AsyncIterator["_Writer"]:
        """First the documents, then the position."""
        record = await self._record()
        writer = _Writer(self._products(record.generation, is_live=False))
        yield writer
        if reached is not None:
            key = ProductKeys(self._key_prefix, record.generation).mark_key
            with translated():
                is_whole = await self._move_mark(keys=[key], args=[record.reached_position, reached])
            if not is_whole:
                raise CannotGoOn(_LOST)
        await self._records.applied(reached, writer.failures)

    async def compare(self, catch_up: CatchingUp) -> Comparison:
        shadow = self._products((await self._record()).generation, is_live=False)
        return await compare(self._product_ids, self._products(0, is_live=True), shadow, catch_up.failed)

    async def switch(self, catch_up: CatchingUp) -> None:
        """A freeze that ran out is renewed.

        The replaced generation is stored before: after a crash in between, this generation is live already.
        """
        record = await self._record()
        live = await self._live_generation()
        if live != record.generation:
            await self._records.replaces(record.phase, [{"previous": live}])
            await self._switch_to(record.generation, catch_up)
        await self._records.switched(self._products(record.generation, is_live=True))

    async def switch_back(self, catch_up: CatchingUp) -> None:
        """The previous generation is brought to the end of the log first, because it was not updated."""
        record = await self._record()
        previous = self._previous(record)
        if previous is None:
            raise CannotGoOn("there is no previous generation of the cache to roll back to")
        self._filling = previous
        try:
            await self._switch_to(previous, catch_up)
        finally:
            self._filling = None

    async def drop(self) -> None:
        """In small steps, because Redis serves readers meanwhile."""
        generation = (await self._record()).generation
        if generation == await self._live_generation():
            # There was a crash between the switch and its record.
            raise CannotGoOn("the rebuilt generation is the live one already: use --resume")
        await self._unlink(generation)

    async def drop_previous(self) -> None:
        """If Redis was flushed, or a rollback was interrupted, the previous generation is the live one."""
        record = await self._records.read()
        previous = None if record is None else self._previous(record)
        if previous is not None and previous != await self._live_generation():
            await self._unlink(previous)

    _filling: int | None = None

    async def _record(self) -> Record:
        record = await self._records.read()
        if record is None:
            raise CannotGoOn("there is no record of a rebuild of the cache")
        return record if self._filling is None else record._replace(generation=self._filling)

    def _previous(self, record: Record) -> int | None:
        kept = json.loads(record.checkpoints)
        return int(kept[0]["previous"]) if kept else None

    def _products(self, generation: int, *, is_live: bool) -> CachedProducts:
        return CachedProducts(
            self._redis,
            ProductKeys(self._key_prefix, generation),
            ttl_seconds=self._ttl_seconds,
            tombstone_ttl_seconds=self._tombstone_ttl_seconds,
            settling_seconds=self._settling_seconds,
            is_live=is_live,
        )

    async def _switch_to(self, generation: int, catch_up: CatchingUp) -> None:
        keys, token = ProductKeys(self._key_prefix), uuid.uuid4().hex
        for _ in range(_SWITCH_ATTEMPTS_MAX):
            await catch_up.apply(await catch_up.newest())
            with translated():
                is_ours = await self._redis.set(keys.frozen_key, token, nx=True, px=_FREEZE_MILLISECONDS)
            if is_ours:
                async with self._records.owned():
                    await catch_up.apply(await catch_up.newest())
                    record = await self._record()
                    with translated():
                        done = await self._switch(
                            keys=[
                                keys.generation_key,
                                keys.frozen_key,
                                ProductKeys(self._key_prefix, generation).mark_key,
                                ProductKeys(self._key_prefix, await self._live_generation()).mark_key,
                                cache_checkpoint_key(self._key_prefix),
                            ],
                            args=[token, generation, record.reached_position, str(record.log_id)],
                        )
                if done > 0:
                    return
                if done < 0:
                    raise CannotGoOn(_LOST)
            await asyncio.sleep(_PAUSE_SECONDS)
        raise CannotGoOn("the cache could not be switched: its freeze ran out at every attempt")

    async def _live_generation(self) -> int:
        with translated():
            return int(await self._redis.get(ProductKeys(self._key_prefix).generation_key) or 0)

    async def _unlink(self, generation: int) -> None:
        pattern = product_key(self._key_prefix, "*", generation)
        with translated():
            keys = [key async for key in self._redis.scan_iter(match=pattern, count=_KEYS_PER_SCAN)]
        for start in range(0, len(keys), _KEYS_PER_SCAN):
            async with self._records.owned():
                with translated():
                    await self._redis.unlink(*keys[start : start + _KEYS_PER_SCAN])


class _Writer:
    """Implements `ShadowWriter`."""

    def __init__(self, products: CachedProducts) -> None:
        self._products = products
        self.failures: dict[UUID, Failed] = {}

    async def held(self, product_ids: Collection[UUID]) -> Mapping[UUID, Held[ProductDocument]]:
        return await self._products.held(product_ids) if product_ids else {}

    async def save(self, changes: Sequence[Change[ProductDocument]]) -> None:
        await self._products.save(changes)

    async def fail(self, failures: Mapping[UUID, Failed]) -> None:
        self.failures.update(failures)


def _packed(keys: ProductKeys, changes: Iterable[Change[ProductDocument]]) -> Iterator[tuple[str, bytes]]:
    for change in changes:
        body = None if change.after is None else encode_document(change.after)
        yield keys.of([change.product_id])[0], pack(change.stream_version, body)
