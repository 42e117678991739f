"""Products' documents by id, all of the generation that is live in the moment in which they are read."""

from collections.abc import Sequence
from typing import Any

from query_api.products.redis.cache_reads import ReadMany
from shared.redis.product_keys import ProductKeys


class LiveDocuments:
    """A `ReadMany` of ids over one of keys: the generation comes along with the documents."""

    def __init__(self, read_many: ReadMany, keys: ProductKeys) -> None:
        self._read_many = read_many
        self._keys = keys

    async def __call__(self, product_ids: list[str]) -> Sequence[Any]:
        """Read again where the cache was switched since the last time."""
        keys = self._keys
        while True:
            live, *documents = await self._read_many([keys.generation_key, *keys.of(product_ids)])
            if not keys.learn(live):
                return documents
