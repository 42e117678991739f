"""A seeded catalogue as documents, states and searches, for benchmarks of search."""

import random
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import msgspec
from redis.asyncio import Redis
from uuid_utils.compat import uuid7

from command_api.importer.seed import seed_products
from query_api.search.ports import IndexedState
from shared.contract.addresses import product_key
from shared.contract.cached_document import pack
from shared.contract.views import ProductDocument, encode_document

CHUNK = 5_000
QUERIES = 20_000
_BEGAN = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


class Catalogue:
    """The seeded documents, made once."""

    def __init__(self, count: int) -> None:
        self.documents = list(documents(count))
        self.bodies = [encode_document(document) for document in self.documents]

    def states(self) -> Sequence[IndexedState]:
        """Version 1 of each; the log positions begin at 1."""
        return [
            IndexedState(document.id, 1, number, 0, body)
            for number, (document, body) in enumerate(zip(self.documents, self.bodies, strict=True), start=1)
        ]

    def paths(self, more: Mapping[str, str], count: int = QUERIES) -> list[str]:
        """Addresses of searches, no two alike: one or two words of a product; half have its brand, half its
        category.
        """
        chance = random.Random(7)
        found: dict[str, None] = {}
        for document in chance.sample(self.documents, len(self.documents)):
            found[search_path(document, chance, more)] = None
            if len(found) == count:
                return list(found)
        raise RuntimeError(f"only {len(found)} different searches, and not {count}")

    async def fill(self, redis_url: str) -> None:
        """All documents into an emptied cache."""
        async with Redis.from_url(redis_url) as redis:
            await redis.flushdb()
            for start in range(0, len(self.documents), CHUNK):
                pairs = zip(self.documents[start : start + CHUNK], self.bodies[start:], strict=False)
                await redis.mset({product_key("catalogue", one.id): pack(1, body) for one, body in pairs})


def documents(count: int) -> Iterator[ProductDocument]:
    """The seeded products, as readers would get them, one after the other."""
    for number, seeded in enumerate(seed_products(count, seed=1)):
        yield msgspec.convert({**seeded, **_usual(number), "id": str(uuid7())}, ProductDocument, strict=False)


def search_path(document: ProductDocument, chance: random.Random, more: Mapping[str, str]) -> str:
    """The address of a search that may find this product."""
    words = document.name.split()
    text = " ".join(chance.sample(words, min(len(words), chance.choice((1, 2)))))
    parameters = {"q": text[: max(3, len(text) - chance.choice((0, 0, 2)))], **more}
    if chance.random() < 0.5 and document.brand:
        parameters["brand"] = document.brand
    if chance.random() < 0.5 and document.category:
        parameters["category"] = document.category.split("/")[0]
    return f"/v1/products?{urlencode(parameters)}"


def _usual(number: int) -> Mapping[str, Any]:
    """Created one after the other, as products are."""
    now = _BEGAN + timedelta(milliseconds=number)
    return {"version": 1, "status": "active", "created_at": now, "updated_at": now, "published_at": now}
