"""The generations of the cache in Redis: which are live, the next number, the switch, and removal."""

from collections.abc import Callable, Collection, Sequence
from contextlib import AbstractAsyncContextManager
from importlib.resources import files
from uuid import UUID

from redis.asyncio import Redis

from projector.errors import CannotGoOn
from projector.views.product_cache.redis.failures import translated
from shared.redis.key_groups import groups_of_generations, key_groups
from shared.redis.product_keys import KeyGroups, ProductKeys
from shared.redis.together import together

_FREEZE_MILLISECONDS = 5_000
_ATTEMPTS_MAX = 20
_KEYS_PER_SCAN = 1_000
_switch_script = files("shared.redis").joinpath("switch_generation.lua").read_text()
_mark_script, _last_script = (
    files("projector.rebuild.redis").joinpath(name).read_text()
    for name in ("move_mark.lua", "raise_last.lua")
)
Switch = tuple[ProductKeys, ProductKeys]
"""A group with its live generation, and with the one that is to be live."""
Owned = Callable[[], AbstractAsyncContextManager[object]]


class Generations:
    """Of every group of documents. Methods raise `Unavailable`."""

    def __init__(self, redis: Redis, key_prefix: str) -> None:
        self._redis = redis
        self._key_prefix = key_prefix
        self._switch = redis.register_script(_switch_script)
        self._move_mark = redis.register_script(_mark_script)
        self._raise_last = redis.register_script(_last_script)
        self.groups = key_groups(redis, key_prefix).groups

    def of(self, numbers: Sequence[int]) -> KeyGroups:
        """The keys, with a generation for each group."""
        return groups_of_generations(self._redis, self._key_prefix, numbers)

    def same(self, number: int) -> KeyGroups:
        """The keys of one generation."""
        return self.of([number] * len(self.groups))

    async def live(self) -> list[int]:
        """One of each group."""
        with translated():
            found = await together([self._redis.get(keys.generation_key) for keys in self.groups])
        return [int(one or 0) for one in found]

    async def reserve(self) -> int:
        """A number that was never used, or whose keys a flush has deleted; the same for all groups."""
        for _ in range(_ATTEMPTS_MAX):
            live = await self.live()
            with translated():
                last = await together([self._redis.get(keys.last_key) for keys in self.groups])
                number = max(*live, *(int(one or 0) for one in last)) + 1
                is_ours = await together(
                    [
                        self._raise_last(keys=[keys.last_key, keys.generation_key], args=[number])
                        for keys in self.groups
                    ]
                )
                if all(is_ours):
                    await together([self._redis.delete(keys.mark_key) for keys in self.same(number).groups])
                    return number
        raise CannotGoOn("other processes took every number of a generation that was tried")

    async def move_marks(self, filled: KeyGroups, before: int, reached: int) -> bool:
        """Note how far the generations are filled; False: Redis lost what was noted before."""
        with translated():
            return all(
                await together(
                    [self._move_mark(keys=[keys.mark_key], args=[before, reached]) for keys in filled.groups]
                )
            )

    async def others(self, new: KeyGroups) -> Sequence[Switch]:
        """Those groups of which another generation is live."""
        live = await self.live()
        return [
            (group, keys)
            for group, keys, one in zip(self.groups, new.groups, live, strict=True)
            if keys.generation != one
        ]

    async def freeze(self, switches: Sequence[Switch], token: str) -> bool:
        """No writer may write for some seconds. False: another process has frozen some."""
        with translated():
            return all(await together([self._freeze(group.frozen_key, token) for group, _ in switches]))

    async def switch(
        self, switches: Sequence[Switch], token: str, reached: int, log_id: UUID
    ) -> Sequence[int]:
        """For each: 1; 0 if its freeze has expired; -1 if Redis lost some of the new generation."""
        with translated():
            return await together(
                [
                    self._switched(group, new, [token, new.generation, reached, str(log_id)])
                    for group, new in switches
                ]
            )

    async def _freeze(self, frozen_key: str, token: str) -> bool:
        """Ours from the last attempt counts; if it expires too soon, the switch says so."""
        if await self._redis.set(frozen_key, token, nx=True, px=_FREEZE_MILLISECONDS):
            return True
        return bool(await self._redis.get(frozen_key) == token.encode())

    async def _switched(self, group: ProductKeys, new: ProductKeys, arguments: Sequence[str | int]) -> int:
        group.learn(await self._redis.get(group.generation_key))
        keys = [group.generation_key, group.frozen_key, new.mark_key, group.mark_key, group.checkpoint_key]
        return int(await self._switch(keys=keys, args=arguments))

    async def remove(self, groups: Sequence[ProductKeys], owned: Owned) -> None:
        """Their documents, in small steps, because Redis serves readers meanwhile."""
        for keys in await self._found([keys.of([""])[0].encode() for keys in groups]):
            for start in range(0, len(keys), _KEYS_PER_SCAN):
                async with owned():
                    with translated():
                        await self._redis.unlink(*keys[start : start + _KEYS_PER_SCAN])

    async def _found(self, starts: Collection[bytes]) -> Sequence[list[bytes]]:
        """The keys with each of these beginnings, by one walk through all keys."""
        if not starts:
            return []
        found: dict[bytes, list[bytes]] = {start: [] for start in starts}
        # For several beginnings the pattern takes more keys than are wanted.
        pattern = f"{self._key_prefix}:*:product*" if len(starts) > 1 else f"{next(iter(starts)).decode()}*"
        with translated():
            async for key in self._redis.scan_iter(match=pattern, count=_KEYS_PER_SCAN):
                head, colon, _ = key.rpartition(b":")
                if head + colon in found:
                    found[head + colon].append(key)
        return [*found.values()]
