"""Changes as columns for `unnest`: one array for each column, one element for each row."""

from collections.abc import Sequence
from typing import Any

from projector.applying.ports import Change
from shared.contract.snapshots import is_due
from shared.contract.views import ProductDocument, encode_document

Columns = tuple[Sequence[Any], ...]
Prices = dict[str, tuple[str, str]]
"""SKU -> (currency, amount)."""


def product_columns(changes: Sequence[Change[ProductDocument]]) -> Columns:
    """The arguments of `upsert_products.sql`."""
    rows = [product_row(change, array_literal(change.last.tags)) for change in changes]
    return tuple(zip(*rows, strict=True))


def product_row(change: Change[ProductDocument], tags: Any) -> tuple[Any, ...]:
    """One row of `product_view`; a deleted product keeps its last values. `tags` is an array literal."""
    shown, after = change.last, change.after
    return (
        change.product_id,
        change.stream_version,
        change.log_position,
        after.status if after else "deleted",
        shown.slug,
        shown.name,
        shown.brand,
        shown.product_type,
        shown.category,
        tags,
        shown.created_at,
        shown.updated_at,
        encode_document(after) if after else None,
    )


def gone_variant_columns(changes: Sequence[Change[ProductDocument]]) -> Columns:
    """The arguments of `delete_variants.sql`."""
    gone = [
        (change.product_id, sku)
        for change in changes
        if change.before is not None and change.before.variants is not _variants(change.after)
        for sku in prices(change.before).keys() - prices(change.after).keys()
    ]
    return tuple(zip(*gone, strict=True)) or ((), ())


def written_variant_columns(changes: Sequence[Change[ProductDocument]]) -> Columns:
    """The arguments of `upsert_variants.sql`."""
    written = []
    for change in changes:
        if change.after is None or change.after.variants is _variants(change.before):
            continue
        before = prices(change.before)
        for sku, price in prices(change.after).items():
            if before.get(sku) != price:
                written.append((change.product_id, sku, *price))
    return tuple(zip(*written, strict=True)) or ((), (), (), ())


def prices(document: ProductDocument | None) -> Prices:
    """SKUs and prices, the contents of variant rows; empty for a product that does not exist."""
    return {variant.sku: (variant.price.currency, variant.price.amount) for variant in _variants(document)}


def snapshot_columns(changes: Sequence[Change[ProductDocument]]) -> Columns:
    """The arguments of `upsert_snapshots.sql` but the fold: documents of streams that got long."""
    kept = [
        (change.product_id, change.stream_version, change.log_position, encode_document(change.after))
        for change in changes
        if change.after is not None and is_due(_version(change.before), change.stream_version)
    ]
    return tuple(zip(*kept, strict=True)) or ((), (), (), ())


def _version(document: ProductDocument | None) -> int:
    return document.version if document is not None else 0


def _variants(document: ProductDocument | None) -> tuple[Any, ...]:
    return document.variants if document is not None else ()


def array_literal(texts: Sequence[str]) -> str:
    """A text[] literal: unnest would flatten an array of arrays, so the tags of a row are one text."""
    quoted = ('"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"' for text in texts)
    return "{" + ",".join(quoted) + "}"
