"""A query API over a real read model and a real Redis, with hands for what the projector would write.

Rows go in as the projector's role, documents through the same guard that the projector uses.
"""

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
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
from tests.eventually import eventually
from tests.servers import DatabaseDsns
from tests.ways import DIRECT_WAY, Way

PREFIX = "catalogue"
TOPIC = "products-events"
START = datetime(2026, 1, 1, tzinfo=UTC)
LOG_ID = UUID(int=1)
# A busy machine is no fault: what nobody breaks has more time to answer than readers would grant it.
REDIS_SECONDS_MAX = 5.0
MEASUREMENT_SECONDS_MAX = 30.0
# Used for as long as a test takes, unless a change is told.
LOCAL_CACHE = {
    "local_cache_bytes_max": 10_000_000,
    "local_cache_seconds_max": 600.0,
    "local_cache_silence_seconds_max": 600.0,
}


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

    async def keep(self, document: ProductDocument) -> None:
        """The document in Redis, and in the process if that has a cache."""
        if not self.settings.local_cache_bytes_max:
            await self.cache(document)
            return
        local, product_id = self.api.hot.local, str(document.id)
        told: set[str] = set()
        usual = local.invalidate

        def noted(changed: str) -> None:
            usual(changed)
            told.add(changed)

        def is_trusted() -> None:
            assert local.is_trusted

        async def is_told_of_all_before() -> None:
            """Redis tells in order. What a lost connection did not tell is lost: so new keys are tried."""
            probe = product()
            await self.cache(probe)
            await eventually(lambda: _must_have(told, str(probe.id)), 2.0)
            await self.redis.delete(product_key(PREFIX, probe.id))

        async def is_kept() -> None:
            await self.api.hot.cache.read(product_id)
            assert local.get(product_id) is not None

        await eventually(is_trusted)
        local.invalidate = noted  # type: ignore[method-assign]
        await self.cache(document)
        await eventually(is_told_of_all_before)
        del local.invalidate
        await eventually(is_kept)

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


def _must_have(told: Collection[str], product_id: str) -> None:
    assert product_id in told


def token_for(product_id: UUID, log_position: int, stream_version: int | None = None) -> str:
    """The token of a write at this position; with a version also of the product."""
    position = {partition_of(product_id, 12): log_position}
    named = None if stream_version is None else product_id
    return encode_token(ConsistencyToken(position, named, stream_version))


@dataclass
class Installation:
    """A query API with its server, and the owner's hand to empty what is behind it."""

    api: QueryApi
    port: int
    settings: QuerySettings
    database: "asyncpg.Connection[asyncpg.Record]"
    redis: Redis
    _owner: "asyncpg.Connection[asyncpg.Record]"
    _tables: Sequence[str]

    async def empty(self) -> None:
        """As it was after the migrations. DELETE: TRUNCATE makes a file anew for every table and index."""
        await self._owner.execute(";".join(f"DELETE FROM {table}" for table in self._tables))
        await self.redis.flushdb()

    @asynccontextmanager
    async def world(self) -> AsyncIterator[World]:
        """With clients of its own: no test meets a connection that was idle for as long as a server waits."""
        async with (
            httpx.AsyncClient(base_url=f"http://127.0.0.1:{self.port}", timeout=30, verify=False) as served,
            httpx.AsyncClient(
                transport=httpx.ASGITransport(self.api.application), base_url="http://query"
            ) as framework,
        ):
            yield World(self.api, served, framework, self.database, self.redis, self.settings, self.port)


@asynccontextmanager
async def installation(
    dsns: DatabaseDsns, redis_url: str, way: Way = DIRECT_WAY, **changed: Any
) -> AsyncIterator[Installation]:
    """`changed` are settings that are not the usual ones. Without the in-process cache, unless it is among
    them: a test reads what it has just written.
    """
    way.prepare(dsns.name)
    changed = {"local_cache_bytes_max": 0, **changed}
    settings = QuerySettings(
        _env_file=None,  # type: ignore[call-arg]
        read_model_dsn=way.lead(dsns.reader),
        postgres_pooler=way.pooler,
        redis_url=redis_url,
        redis_open_seconds=0.05,
        cache_watch_rest_seconds=0,
        measurement_seconds_max=MEASUREMENT_SECONDS_MAX,
        **{"status_age_seconds_max": 0, **changed},
    )
    async with AsyncExitStack() as stack:
        api = await stack.enter_async_context(query_api(settings))
        server = api.server(host="127.0.0.1", port=0)
        stack.push_async_callback(server.stop, 5.0)
        await server.start()
        database, owner = [
            await asyncpg.connect(dsn, server_settings=way.writers_settings)
            for dsn in (dsns.projector, dsns.owner)
        ]
        stack.push_async_callback(database.close)
        stack.push_async_callback(owner.close)
        redis = Redis.from_url(redis_url)
        stack.push_async_callback(redis.aclose)
        tables = await _empty_tables(owner)
        yield Installation(api, server.port, settings, database, redis, owner, tables)


async def _empty_tables(owner: "asyncpg.Connection[asyncpg.Record]") -> list[str]:
    """Those into which no migration has written."""
    found = await owner.fetch(
        "SELECT format('%I.%I', schemaname, tablename) AS name FROM pg_tables WHERE schemaname = 'views'"
    )
    names = [row["name"] for row in found]
    return [name for name in names if not await owner.fetchval(f"SELECT EXISTS (SELECT FROM {name})")]


@asynccontextmanager
async def module_installation(
    dsns: DatabaseDsns, redis_url: str, way: Way, **changed: Any
) -> AsyncIterator[Installation]:
    """One for all tests of a module. On the next way the same database is looked at anew for what tests may
    have filled, so it is empty at the end.
    """
    async with installation(
        dsns, redis_url, way, **{"redis_seconds_max": REDIS_SECONDS_MAX, **changed}
    ) as shared:
        yield shared
        await shared.empty()


@pytest_asyncio.fixture(scope="module")
async def shared_installation(
    read_model_of_module: DatabaseDsns,
    event_store_of_module: DatabaseDsns,
    redis_url_of_module: str,
    way_to_views: Way,
) -> AsyncIterator[Installation]:
    log = event_store_of_module.log_reader
    async with module_installation(
        read_model_of_module, redis_url_of_module, way_to_views, event_store_read_dsn=log
    ) as shared:
        yield shared


@pytest_asyncio.fixture
async def world(shared_installation: Installation) -> AsyncIterator[World]:
    """The query API of the module, with nothing behind it. A test that breaks a server takes its own."""
    await shared_installation.empty()
    async with shared_installation.world() as one:
        yield one


@pytest_asyncio.fixture
async def own_world(
    read_model_dsns: DatabaseDsns, redis_url: str, way_to_primary: Way
) -> AsyncIterator[World]:
    """A query API of this test's own, which it may break."""
    async with installation(read_model_dsns, redis_url, way_to_primary) as own, own.world() as one:
        yield one
