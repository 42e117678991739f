"""Reads product documents by id, all from the generation that is live at that moment."""

from collections.abc import Sequence
from typing import Any

from query_api.products.redis.cache_reads import ReadMany
from shared.redis.product_keys import ProductKeys


class LiveDocuments:
    """A `ReadMany` of ids over a `ReadMany` of keys; it reads the live generation together with the
    documents.
    """

    def __init__(self, read_many: ReadMany, keys: ProductKeys) -> None:
        self._read_many = read_many
        self._keys = keys

    async def __call__(self, product_ids: list[str]) -> Sequence[Any]:
        """Read again if the live generation has changed since the last time."""
        keys = self._keys
        while True:
            live, *documents = await self._read_many([keys.generation_key, *keys.of(product_ids)])
            if not keys.learn(live):
                return documents
