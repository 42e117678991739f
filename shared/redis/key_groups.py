"""Which groups of keys an installation has: one on a server, a fixed number on a cluster."""

from collections.abc import Iterable, Sequence

from redis.asyncio import Redis

from shared.contract.addresses import CACHE_GROUP_TAGS, cache_group_of, cache_group_prefix
from shared.redis.cluster.client import ClusterRedis
from shared.redis.product_keys import Generation, Id, KeyGroups, ProductKeys


class SlotGroups:
    """The groups of a cluster. `generations` are those known, one of each group."""

    def __init__(self, prefix: str, generations: Sequence[int] = (0,) * len(CACHE_GROUP_TAGS)) -> None:
        self.groups: Sequence[ProductKeys] = tuple(
            ProductKeys(cache_group_prefix(prefix, number), generation)
            for number, generation in zip(range(len(CACHE_GROUP_TAGS)), generations, strict=True)
        )

    @property
    def generation(self) -> Generation:
        """The last known one of each group."""
        return tuple(keys.generation for keys in self.groups)

    def split(self, product_ids: Iterable[Id]) -> Sequence[tuple[ProductKeys, list[Id]]]:
        """The groups that have some of these products, and which."""
        found: dict[int, list[Id]] = {}
        for product_id in product_ids:
            found.setdefault(cache_group_of(product_id), []).append(product_id)
        return [(self.groups[group], some) for group, some in found.items()]


def key_groups(redis: Redis, prefix: str) -> KeyGroups:
    """The groups of the live documents, none of whose generations is known yet."""
    return SlotGroups(prefix) if isinstance(redis, ClusterRedis) else ProductKeys(prefix)


def groups_of_generations(redis: Redis, prefix: str, generations: Sequence[int]) -> KeyGroups:
    """The same groups, each of the generation that is named for it."""
    if isinstance(redis, ClusterRedis):
        return SlotGroups(prefix, generations)
    (generation,) = generations
    return ProductKeys(prefix, generation)
