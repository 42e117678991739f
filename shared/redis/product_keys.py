"""Where products' documents stand in Redis, in the generation that is live now.

A rebuild fills the next generation of keys beside the live one, and switches by setting one key. So everybody
reads that key together with the documents and has it compared with every write: there is no moment in which
one process serves the old generation and another the new one, and no write is lost in between.
"""

from collections.abc import Iterable
from uuid import UUID

from shared.contract.addresses import cache_frozen_key, cache_generation_key, cache_since_key, product_key


class GenerationMoved(Exception):
    """Another generation is live than was thought; nothing was written. Learnt by now: the same call may
    go.
    """


class GenerationFrozen(Exception):
    """A switch is under way, for a moment; nothing was written."""


class ProductKeys:
    """Of one installation. `generation` is the one that was seen last."""

    def __init__(self, prefix: str, generation: int = 0) -> None:
        self.generation = generation
        self.generation_key = cache_generation_key(prefix)
        self.frozen_key = cache_frozen_key(prefix)
        self.since_key = cache_since_key(prefix)
        self._prefix = prefix

    def of(self, product_ids: Iterable[UUID | str]) -> list[str]:
        """Their keys, in order."""
        start = product_key(self._prefix, "", self.generation)
        return [f"{start}{product_id}" for product_id in product_ids]

    def learn(self, value: bytes | str | None) -> bool:
        """What stands under the generation key; answers whether another generation is live than was
        thought.
        """
        live = int(value or 0)
        has_moved, self.generation = live != self.generation, live
        return has_moved
