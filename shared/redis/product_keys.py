"""The keys of product documents in Redis, in the live generation.

A rebuild fills the next generation of keys beside the live one, and switches by setting one key. All
processes read that key together with the documents, and every write compares it. So there is no moment in
which one process serves the old generation and another one the new, and no write is lost in between.
"""

from collections.abc import Iterable, Sequence
from typing import Protocol, TypeVar
from uuid import UUID

from shared.contract.addresses import (
    cache_checkpoint_key,
    cache_frozen_key,
    cache_generation_key,
    cache_since_key,
    product_key,
)

Id = TypeVar("Id", UUID, str)
Generation = int | tuple[int, ...]
"""Of all documents, or of each group."""


class GenerationMoved(Exception):
    """Another generation is live than expected; nothing was written. It is known now: try the same call
    again.
    """


class GenerationFrozen(Exception):
    """A switch is in progress, for a moment; nothing was written."""


class ProductKeys:
    """The keys of one installation on one server, or of one group of products on a cluster; see `KeyGroups`.
    `generation` is the last known one.
    """

    def __init__(self, prefix: str, generation: int = 0) -> None:
        self.generation = generation
        self.generation_key = cache_generation_key(prefix)
        self.frozen_key = cache_frozen_key(prefix)
        self.since_key = cache_since_key(prefix)
        self.checkpoint_key = cache_checkpoint_key(prefix)
        self.last_key = f"{self.generation_key}:last"
        self._prefix = prefix

    @property
    def groups(self) -> "Sequence[ProductKeys]":
        """These are the only ones."""
        return (self,)

    def split(self, product_ids: Iterable[Id]) -> "Sequence[tuple[ProductKeys, list[Id]]]":
        """All are in this group."""
        return ((self, list(product_ids)),)

    @property
    def mark_key(self) -> str:
        """How far a rebuild has filled this generation from the log."""
        return f"{self.generation_key}:filled:{self.generation}"

    def of(self, product_ids: Iterable[UUID | str]) -> list[str]:
        """The keys of these products, in the same order."""
        start = product_key(self._prefix, "", self.generation)
        return [f"{start}{product_id}" for product_id in product_ids]

    def learn(self, value: bytes | str | None) -> bool:
        """Take the value of the generation key; returns whether the live generation has changed."""
        live = int(value or 0)
        has_moved, self.generation = live != self.generation, live
        return has_moved


class KeyGroups(Protocol):
    """The keys of one installation, in groups that have a live generation and a switch each.

    A script sees only keys of one slot of a cluster. So there the products are divided into groups, a slot
    each, and every group has all that guards its documents: it is a small cache of its own. One server has
    one group.
    """

    @property
    def groups(self) -> Sequence[ProductKeys]:
        """At least one, always in the same order."""

    @property
    def generation(self) -> Generation:
        """The last known one of each group."""

    def split(self, product_ids: Iterable[Id]) -> Sequence[tuple[ProductKeys, list[Id]]]:
        """The groups that have some of these products, and which."""
