"""A query API over a real read model and a real Redis, with hands for what the projector would write.

Rows go in as the projector's role, documents through the same guard that the projector uses.
"""

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import httpx
import msgspec
import pytest_asyncio
from redis.asyncio import Redis

from query_api.assembly import QueryApi, query_api
from query_api.settings import QuerySettings
from shared.contract.addresses import list_generation_key, partition_of, product_key, top_category
from shared.contract.cached_document import pack
from shared.contract.consistency_token import ConsistencyToken, encode_token
from shared.contract.events import Money, Variant
from shared.contract.views import ProductDocument, encode_document
from shared.redis.guarded_documents import GuardedDocuments
from shared.redis.product_keys import ProductKeys
from tests.servers import DatabaseDsns

PREFIX = "catalogue"
TOPIC = "products-events"
START = datetime(2026, 1, 1, tzinfo=UTC)
LOG_ID = UUID(int=1)


def product(**fields: Any) -> ProductDocument:
    """A product, active and at 10.00 USD unless told otherwise; `sku` is that of its only variant."""
    product_id = fields.pop("id", None) or uuid4()
    sku = fields.pop("sku", f"SKU-{product_id}")
    usual: Mapping[str, Any] = {
        "id": product_id, "version": 1, "status": "active", "slug": f"slug-{product_id}", "name": "A shirt",
        "description": None, "brand": None, "product_type": None, "category": None, "tags": (),
        "attributes": {"colour": "blue"}, "images": (), "variants": (variant(sku),),
        "created_at": START, "updated_at": START, "published_at": None,
    }  # fmt: skip
    return ProductDocument(**{**usual, **fields})


def variant(sku: str, amount: str = "10.00", currency: str = "USD") -> Variant:
    """A variant without options."""
    return Variant(sku=sku, options={}, price=Money(amount, currency))


@dataclass
class World:
    """Both ways to the query API, and hands on what is behind it."""

    api: QueryApi
    served: httpx.AsyncClient
    framework: httpx.AsyncClient
    database: "asyncpg.Connection[asyncpg.Record]"
    redis: Redis
    settings: QuerySettings
    port: int

    def client(self, way: str) -> httpx.AsyncClient:
        """`served` is the listening server with its hot read, `framework` the application behind it."""
        return self.served if way == "served" else self.framework

    async def store(self, document: ProductDocument, *, log_position: int = 1) -> None:
        """The product's row and its variants, as the projector writes them."""
        async with self.database.transaction():
            await self._replace_row(document, log_position)
            for one in document.variants:
                await self.database.execute(
                    "INSERT INTO views.product_view_variant VALUES ($1, $2, $3, $4)",
                    document.id, one.sku, one.price.currency, Decimal(one.price.amount),
                )  # fmt: skip

    async def delete(self, document: ProductDocument, *, log_position: int = 2) -> None:
        """What is left of a deleted product: a row one version on, without a document."""
        async with self.database.transaction():
            gone = msgspec.structs.replace(document, version=document.version + 1)
            await self._replace_row(gone, log_position)
            await self.database.execute(
                "UPDATE views.product_view SET status = 'deleted', document = NULL WHERE product_id = $1",
                document.id,
            )

    async def _replace_row(self, document: ProductDocument, log_position: int) -> None:
        await self.database.execute(
            "DELETE FROM views.product_view_variant WHERE product_id = $1", document.id
        )
        await self.database.execute("DELETE FROM views.product_view WHERE product_id = $1", document.id)
        await self.database.execute(
            "INSERT INTO views.product_view VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
            document.id, document.version, log_position, document.status, document.slug, document.name,
            document.brand, document.product_type, document.category, list(document.tags),
            document.created_at, document.updated_at, encode_document(document),
        )  # fmt: skip

    async def cache(self, document: ProductDocument) -> None:
        """The document in Redis, through the guard."""
        await self.cache_packed(document.id, pack(document.version, encode_document(document)))

    async def cache_tombstone(self, product_id: UUID, stream_version: int) -> None:
        await self.cache_packed(product_id, pack(stream_version, None))

    async def cache_packed(self, product_id: UUID, packed: bytes) -> None:
        documents = GuardedDocuments(self.redis, ProductKeys(PREFIX), ttl_seconds=600)
        await documents.store({product_id: packed})

    async def cached(self, product_id: UUID) -> bytes | None:
        """What Redis has of a product."""
        value: Any = await self.redis.get(product_key(PREFIX, product_id))
        return None if value is None else bytes(value)

    async def pass_checkpoint(self, product_id: UUID, log_position: int) -> None:
        """The product view has reached this position in the product's partition."""
        await self.database.execute(
            "INSERT INTO views.projection_checkpoint VALUES ('product_view', $1, $2, 1, $3, $4) "
            "ON CONFLICT (projection, topic, partition) DO UPDATE SET log_position = $3",
            TOPIC, partition_of(product_id, self.settings.partition_count), log_position, LOG_ID,
        )  # fmt: skip

    async def next_generation(self, category: str | None) -> None:
        """What the projector does after it has changed lists."""
        await self.redis.incr(list_generation_key(PREFIX, top_category(category)))
        await self.redis.incr(list_generation_key(PREFIX, None))


def token_for(product_id: UUID, log_position: int, stream_version: int | None = None) -> str:
    """The token of a write at this position; with a version also of the product."""
    position = {partition_of(product_id, 12): log_position}
    named = None if stream_version is None else product_id
    return encode_token(ConsistencyToken(position, named, stream_version))


@pytest_asyncio.fixture
async def world(read_model_dsns: DatabaseDsns, redis_url: str) -> AsyncIterator[World]:
    """A query API of this test's own."""
    settings = QuerySettings(
        _env_file=None,  # type: ignore[call-arg]
        read_model_dsn=read_model_dsns.reader,
        redis_url=redis_url,
        redis_open_seconds=0.05,
    )
    async with AsyncExitStack() as stack:
        api = await stack.enter_async_context(query_api(settings))
        server = api.server(host="127.0.0.1", port=0)
        stack.push_async_callback(server.stop, 5.0)
        await server.start()
        served = await stack.enter_async_context(
            httpx.AsyncClient(base_url=f"http://127.0.0.1:{server.port}", timeout=30)
        )
        framework = await stack.enter_async_context(
            httpx.AsyncClient(transport=httpx.ASGITransport(api.application), base_url="http://query")
        )
        database = await asyncpg.connect(read_model_dsns.projector)
        stack.push_async_callback(database.close)
        redis = Redis.from_url(redis_url)
        stack.push_async_callback(redis.aclose)
        yield World(api, served, framework, database, redis, settings, server.port)
