"""The keys of product documents in Redis, in the live generation.

A rebuild fills the next generation of keys beside the live one, and switches by setting one key. All
processes read that key together with the documents, and every write compares it. So there is no moment in
which one process serves the old generation and another one the new, and no write is lost in between.
"""

from collections.abc import Iterable
from uuid import UUID

from shared.contract.addresses import cache_frozen_key, cache_generation_key, cache_since_key, product_key


class GenerationMoved(Exception):
    """Another generation is live than expected; nothing was written. It is known now: try the same call
    again.
    """


class GenerationFrozen(Exception):
    """A switch is in progress, for a moment; nothing was written."""


class ProductKeys:
    """The keys of one installation. `generation` is the last known one."""

    def __init__(self, prefix: str, generation: int = 0) -> None:
        self.generation = generation
        self.generation_key = cache_generation_key(prefix)
        self.frozen_key = cache_frozen_key(prefix)
        self.since_key = cache_since_key(prefix)
        self.last_key = f"{self.generation_key}:last"
        self._prefix = prefix

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
