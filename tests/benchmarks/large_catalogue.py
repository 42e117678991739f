"""A large catalogue in the read model's tables and in a search index, loaded directly and piece by piece: a
million documents do not fit into the memory of the benchmark.
"""

import asyncio
import random
import time
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlencode

import asyncpg

from query_api.search.feed_limits import FeedLimits
from query_api.search.folders import IndexFolders
from query_api.search.ports import IndexCheckpoint, IndexedState
from query_api.search.tantivy.index import TantivyIndex, scheme
from shared.contract.views import ProductDocument, encode_document
from tests.benchmarks.catalogue import documents, search_path
from tests.benchmarks.searching import ASKED
from tests.servers import DatabaseDsns

ADDRESSES = 20_000
_SORTS = ("name", "-name", "-updated_at", "price")
_PRODUCT_COLUMNS = (
    "product_id", "stream_version", "log_position", "status", "slug", "name", "brand", "product_type",
    "category", "tags", "created_at", "updated_at", "document",
)  # fmt: skip
_VARIANT_COLUMNS = ("product_id", "sku", "currency", "amount")
_INDEXES = """
SELECT indexrelid::regclass::text AS name, pg_get_indexdef(indexrelid) AS definition
FROM pg_index
WHERE NOT indisprimary
  AND indrelid IN ('views.product_view'::regclass, 'views.product_view_variant'::regclass)
"""
Rows = list[tuple[object, ...]]


class Loaded(NamedTuple):
    """What it took, and addresses of reads, lists and searches, each only once."""

    index_seconds: float
    index_megabytes: float
    reads: Sequence[str]
    lists: Sequence[str]
    searches: Sequence[str]


async def load(count: int, dsns: DatabaseDsns, folder: Path) -> Loaded:
    """Fill both. Indexes of the tables are made after the rows, as a rebuild does."""
    folders = IndexFolders(folder, scheme())
    folders.open()
    path = folders.new()
    index, seconds = TantivyIndex(path), 0.0
    chosen: list[ProductDocument] = []
    owner = await asyncpg.connect(dsns.owner)
    indexes = await owner.fetch(_INDEXES)
    for each in indexes:
        await owner.execute(f"DROP INDEX {each['name']}")
    for start, piece in _pieces(count):
        bodies = [encode_document(one) for one in piece]
        await _copy(owner, start, piece, bodies)
        seconds += await asyncio.to_thread(_apply, index, start, piece, bodies)
        chosen += piece[:: max(1, count // ADDRESSES)]
    index.close()
    folders.switch(path)
    folders.close()
    for each in indexes:
        await owner.execute(each["definition"])
    await owner.execute("VACUUM ANALYZE views.product_view, views.product_view_variant")
    await owner.close()
    size = sum(each.stat().st_size for each in path.rglob("*") if each.is_file())
    chance = random.Random(7)
    chance.shuffle(chosen)
    return Loaded(
        seconds,
        size / 1e6,
        [f"/v1/products/{one.id}" for one in chosen],
        [_list_path(one, chance) for one in chosen],
        [search_path(one, chance, ASKED) for one in chosen],
    )


def _pieces(count: int) -> Iterator[tuple[int, list[ProductDocument]]]:
    left, start = documents(count), 0
    while piece := list(islice(left, FeedLimits().catch_up_states(count))):
        yield start, piece
        start += len(piece)


def _apply(
    index: TantivyIndex, start: int, piece: Sequence[ProductDocument], bodies: Sequence[bytes]
) -> float:
    """Seconds."""
    began = time.perf_counter()
    states = [
        IndexedState(one.id, 1, number, 0, body)
        for number, (one, body) in enumerate(zip(piece, bodies, strict=True), start=start + 1)
    ]
    index.apply(states, IndexCheckpoint({0: start}, {0: start}, None, time.time()))
    return time.perf_counter() - began


async def _copy(
    owner: "asyncpg.Connection[asyncpg.Record]",
    start: int,
    piece: Sequence[ProductDocument],
    bodies: Sequence[bytes],
) -> None:
    products: Rows = [
        (
            one.id, 1, number, one.status, one.slug, one.name, one.brand, one.product_type, one.category,
            list(one.tags), one.created_at, one.updated_at, body,
        )
        for number, (one, body) in enumerate(zip(piece, bodies, strict=True), start=start + 1)
    ]  # fmt: skip
    variants: Rows = [
        (one.id, each.sku, each.price.currency, each.price.amount) for one in piece for each in one.variants
    ]
    for table, columns, rows in (
        ("product_view", _PRODUCT_COLUMNS, products),
        ("product_view_variant", _VARIANT_COLUMNS, variants),
    ):
        await owner.copy_records_to_table(table, schema_name="views", columns=columns, records=rows)


def _list_path(one: ProductDocument, chance: random.Random) -> str:
    """A page as shops ask for it: a category or a brand in some order, or what was changed last."""
    sort = chance.choice(_SORTS)
    parameters = {"sort": sort, "limit": str(chance.randint(20, 50))}
    if sort == "price" or chance.random() < 0.3:
        parameters["currency"] = one.variants[0].price.currency
        parameters["price_max"] = one.variants[0].price.amount
    if one.category is not None and chance.random() < 0.7:
        parameters["category"] = chance.choice((one.category, one.category.split("/")[0]))
    if one.brand is not None and chance.random() < 0.3:
        parameters["brand"] = one.brand
    return f"/v1/products?{urlencode(parameters)}"
