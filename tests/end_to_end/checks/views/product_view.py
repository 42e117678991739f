"""The table of products: a row for each product of the log, variants beside it, no document once deleted."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import asyncpg

from tests.end_to_end.checks.documents import document_problems
from tests.end_to_end.checks.history import History
from tests.end_to_end.checks.view_check import Place
from tests.end_to_end.fold import Document, same

PROJECTION = "product_view"
_ROWS_SQL = """
SELECT product_id::text, stream_version, log_position, status, slug, name, brand, product_type, category,
       tags, created_at, updated_at, document
FROM views.product_view
"""
_VARIANTS_SQL = "SELECT product_id::text, sku, currency, amount FROM views.product_view_variant"
_FIELD_OF = {"product_id": "id", "stream_version": "version", "log_position": "position"}


@dataclass(frozen=True)
class Row:
    """One row of the table of products, with its rows of variants as (SKU, currency, amount)."""

    columns: dict[str, Any]
    document: bytes | None
    variants: frozenset[tuple[str, str, Decimal]]


async def gather(place: Place) -> dict[str, Row]:
    """Product id -> row. Variants of products without a row are rows without columns."""
    connection = await asyncpg.connect(place.read_model.owner)
    try:
        variants: dict[str, set[tuple[str, str, Decimal]]] = defaultdict(set)
        for product_id, sku, currency, amount in await connection.fetch(_VARIANTS_SQL):
            variants[product_id].add((sku, currency, amount))
        rows = {}
        for record in await connection.fetch(_ROWS_SQL):
            columns = {name: value for name, value in record.items() if name != "document"}
            product_id = record["product_id"]
            rows[product_id] = Row(columns, record["document"], frozenset(variants.pop(product_id, ())))
        strays = {product_id: Row({}, None, frozenset(left)) for product_id, left in variants.items()}
        return rows | strays
    finally:
        await connection.close()


def problems(history: History, seen: Mapping[str, Row]) -> Iterator[str]:
    """Rows, variants and documents are the fold of the log."""
    for product_id in sorted(seen.keys() ^ history.newest.keys()):
        yield f"table: {product_id} is only in {'the table' if product_id in seen else 'the log'}"
    for product_id in seen.keys() & history.newest.keys():
        yield from _row_problems(product_id, seen[product_id], history.newest[product_id])


def _row_problems(product_id: str, row: Row, document: Document) -> Iterator[str]:
    if not row.columns:
        yield f"table: {product_id} has variants and no row"
        return
    wanted = {name: document[_FIELD_OF.get(name, name)] for name in row.columns}
    if not same(row.columns, wanted):
        yield f"table: {product_id} has columns {row.columns}, not {wanted}"
    is_deleted = document["status"] == "deleted"
    variants = frozenset(
        (each["sku"], each["price"]["currency"], Decimal(each["price"]["amount"]))
        for each in ([] if is_deleted else document["variants"])
    )
    if row.variants != variants:
        version = document["version"]
        yield f"table: {product_id} v{version} has variants {set(row.variants)}, not {set(variants)}"
    if is_deleted != (row.document is None):
        yield f"table: {product_id} is {document['status']}, its document {row.document!r}"
    elif row.document is not None:
        yield from document_problems(f"table: {product_id}", row.document, document)
