"""A stock item for every SKU that ever was: open on the product that has it, else closed where it went."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import asyncpg

PROJECTION = "inventory"
_COLUMNS = ("product_id", "state", "opened_at", "closed_at", "log_position")


async def gather(place: Any) -> dict[str, tuple[Any, ...]]:
    """SKU -> its row."""
    connection = await asyncpg.connect(place.read_model.owner)
    try:
        rows = await connection.fetch(
            "SELECT sku, product_id::text, state, opened_at, closed_at, log_position FROM views.stock_item"
        )
    finally:
        await connection.close()
    return {row[0]: tuple(row)[1:] for row in rows}


def problems(history: Any, seen: dict[str, tuple[Any, ...]]) -> Iterator[str]:
    """Every item is as the last event of the log left it that opened or closed it."""
    wanted: dict[str, tuple[Any, ...]] = {}
    opened: dict[str, dict[str, datetime]] = {}
    for event, document in history.states():
        product_id, at = event.product_id, event.recorded_at
        skus = opened.setdefault(product_id, {})
        left = set() if document["status"] == "deleted" else {one["sku"] for one in document["variants"]}
        for sku in left - skus.keys():
            skus[sku] = at
            wanted[sku] = (product_id, "open", at, None, event.position)
        for sku in skus.keys() - left:
            wanted[sku] = (product_id, "closed", skus.pop(sku), at, event.position)
    for sku in sorted(wanted.keys() | seen.keys()):
        if wanted.get(sku) != seen.get(sku):
            yield f"stock item {sku!r} has {_COLUMNS} = {seen.get(sku)}, not {wanted.get(sku)}"
