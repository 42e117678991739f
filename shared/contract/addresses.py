"""The addresses of shared data: topics, partitions and Redis keys, named once for writers and readers."""

from functools import lru_cache
from struct import Struct
from typing import NamedTuple
from uuid import UUID
from zlib import crc32

_word = Struct("<I")
EVENT_SOURCE = "/products"
DEFAULT_PARTITION_COUNT = 12
# The hash tags of the cache on a Redis cluster. Their slots are spread evenly: of 2, 3, 4, 6, 8, 12 or 24
# primaries with equal ranges of slots each has as many. Another tag or order would lose every document.
CACHE_GROUP_TAGS = (
    10, 25, 3, 61, 50, 43, 11, 24, 2, 60, 51, 42, 12, 27, 1, 63, 52, 41, 13, 114, 0, 62, 53, 40,
)  # fmt: skip


class Topics(NamedTuple):
    """The topics of one installation. `events` has all events, in order per product; the others have one
    kind.
    """

    events: str
    created: str
    updated: str
    deleted: str

    def by_kind(self, event_type: str) -> str:
        """The topic of one kind for an event type: all types but created and deleted are updates."""
        if event_type == "product-created":
            return self.created
        return self.deleted if event_type == "product-deleted" else self.updated


def topics(prefix: str = "") -> Topics:
    """The topic names; `prefix` separates several installations on one broker (tests, tenants)."""
    return Topics(
        f"{prefix}products-events",
        f"{prefix}products-created",
        f"{prefix}products-updated",
        f"{prefix}products-deleted",
    )


def state_topic(prefix: str = "") -> str:
    """The compacted topic with the latest document of each product; not one of `Topics`: it has no events."""
    return f"{prefix}products-state"


@lru_cache(maxsize=8192)
def partition_of(product_id: UUID, partition_count: int) -> int:
    """The partition that every Kafka client's default partitioner gives this key.

    murmur2 of the id's text, as in `org.apache.kafka.clients.producer`: downstream clients that produce by
    key must choose the same partitions as our consistency tokens. Kept for products of late: to hash a text
    in Python takes longer than all else about a token.
    """
    return (_murmur2(str(product_id).encode()) & 0x7FFFFFFF) % partition_count


def _murmur2(data: bytes) -> int:
    mask, mixer, seed = 0xFFFFFFFF, 0x5BD1E995, 0x9747B28C
    length = len(data)
    hashed = (seed ^ length) & mask
    whole = length & ~3
    for (word,) in _word.iter_unpack(data[:whole]):
        chunk = word * mixer & mask
        chunk = (chunk ^ (chunk >> 24)) * mixer & mask
        hashed = (hashed * mixer & mask) ^ chunk
    tail = data[whole:]
    if tail:
        hashed = (hashed ^ int.from_bytes(tail, "little")) * mixer & mask
    hashed = (hashed ^ (hashed >> 13)) * mixer & mask
    return hashed ^ (hashed >> 15)


def product_key(prefix: str, product_id: UUID | str, generation: int = 0) -> str:
    """Redis key of a product's document in one generation of the cache; a rebuild fills the next one."""
    return f"{prefix}:product.{generation}:{product_id}" if generation else f"{prefix}:product:{product_id}"


def cache_group_prefix(prefix: str, group: int) -> str:
    """On a cluster, what stands before all keys of one group of products, instead of the prefix."""
    return f"{prefix}:{{{CACHE_GROUP_TAGS[group]}}}"


def cache_group_of(product_id: UUID | str) -> int:
    """The group of a product on a cluster."""
    return crc32(str(product_id).encode()) % len(CACHE_GROUP_TAGS)


def cache_generation_key(prefix: str) -> str:
    """Redis key of the number of the live generation; without the key, as after a flush, it is 0."""
    return f"{prefix}:product-generation"


def cache_frozen_key(prefix: str) -> str:
    """Redis key that exists during a switch of the live generation: then no document may be written."""
    return f"{prefix}:product-generation:frozen"


def cache_since_key(prefix: str) -> str:
    """Redis key of the time of the last cache loss, in milliseconds since 1970."""
    return f"{prefix}:product-cache:since"


def list_generation_key(prefix: str, top_category: str | None) -> str:
    """Redis key of the generation of cached lists: a counter for all lists, and one per top-level
    category.
    """
    return f"{prefix}:lists:generation:{top_category or '*'}"


def top_category(category: str | None) -> str | None:
    """The first segment of a category path: `apparel` of `apparel/shirts`."""
    return category.split("/", 1)[0] if category else None


def cache_checkpoint_key(prefix: str) -> str:
    """Redis key of the hash that says how far the live documents are, by partition."""
    return f"{prefix}:product-cache:checkpoint"
