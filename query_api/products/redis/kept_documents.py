"""Every read of documents from Redis passes the in-process cache on its way back, which keeps what it may."""

from collections.abc import Sequence
from typing import Any

from query_api.products.local_cache import LocalCache
from query_api.products.redis.cache_reads import ReadMany
from shared.redis.product_keys import KeyGroups


class KeptDocuments:
    """A `ReadMany` of ids over the one that reads the live generation (`LiveDocuments`)."""

    def __init__(self, read_many: ReadMany, keys: KeyGroups, local: LocalCache) -> None:
        self._read_many = read_many
        self._keys = keys
        self._local = local

    async def __call__(self, product_ids: list[str]) -> Sequence[Any]:
        """The ticket is taken before Redis is asked. No other task runs between the answer and its keeping,
        so the known generation is the one of the answer.
        """
        load = self._local.begin(product_ids)
        try:
            documents = await self._read_many(product_ids)
        except BaseException:
            self._local.abandon(load, product_ids)
            raise
        self._local.keep(load, product_ids, documents, self._keys.generation)
        return documents
