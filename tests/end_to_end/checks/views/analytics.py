"""Changes on each UTC day, in the category and brand that the product had then, and price changes."""

import json
import math
from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import UTC
from decimal import Decimal
from typing import Any

import asyncpg

PROJECTION = "analytics"
_KINDS = {
    "product-created": "products_created", "product-published": "products_published",
    "product-archived": "products_archived", "product-restored": "products_restored",
    "product-deleted": "products_deleted", "product-details-changed": "details_changed",
    "product-variant-added": "variants_added", "product-variant-changed": "variants_changed",
    "product-variant-removed": "variants_removed",
}  # fmt: skip
_NO_KEYS = ("day", "dimension", "category", "brand", "currency")
_TOLERANCE = 1e-6


async def gather(place: Any) -> dict[str, dict[Any, dict[str, Any]]]:
    """ "changes": (day, category, brand) -> counts; "prices": the same with the currency."""
    connection = await asyncpg.connect(place.read_model.owner)
    try:
        changes = await connection.fetch("SELECT * FROM views.analytics_change")
        prices = await connection.fetch("SELECT * FROM views.analytics_price")
    finally:
        await connection.close()
    return {
        "changes": {(row["day"], row["category"], row["brand"]): _counts(row) for row in changes},
        "prices": {
            (row["day"], row["category"], row["brand"], row["currency"]): _counts(row) for row in prices
        },
    }


def problems(history: Any, seen: dict[str, dict[Any, dict[str, Any]]]) -> Iterator[str]:
    """Every event of the log is counted once."""
    changes: dict[Any, Counter[str]] = defaultdict(Counter)
    prices: dict[Any, Counter[str]] = defaultdict(Counter)
    before: dict[str, Any] = {}
    for event, document in history.states():
        where = (event.recorded_at.astimezone(UTC).date(), document["category"], document["brand"])
        if event.event_type in _KINDS:
            changes[where][_KINDS[event.event_type]] += 1
        move = _price_move(event, before.get(event.product_id))
        before[event.product_id] = document
        if move is not None:
            old, new = move
            of_all, of_currency = changes[where], prices[(*where, new["currency"])]
            _count(old, new, of_all)
            _count(old, new, of_currency)
            _compare(old, new, of_currency)
    yield from _differences("changes", changes, seen["changes"])
    yield from _differences("prices", prices, seen["prices"])


def _price_move(event: Any, document: Any) -> tuple[Any, Any] | None:
    data = json.loads(event.data)
    if event.event_type == "product-price-changed":
        return data["previous_price"], data["price"]
    if event.event_type != "product-variant-changed":
        return None
    (old,) = [one["price"] for one in document["variants"] if one["sku"] == data["sku"]]
    return None if old == data["price"] else (old, data["price"])


def _count(old: Any, new: Any, counts: Counter[str]) -> None:
    counts["price_changes"] += 1
    if old["currency"] == new["currency"]:
        counts["price_increases"] += Decimal(new["amount"]) > Decimal(old["amount"])
        counts["price_decreases"] += Decimal(new["amount"]) < Decimal(old["amount"])


def _compare(old: Any, new: Any, sums: Any) -> None:
    amounts = float(old["amount"]), float(new["amount"])
    if old["currency"] == new["currency"] and all(amounts):
        sums["compared"] += 1
        sums["log_ratio_sum"] += math.log(amounts[1] / amounts[0])


def _counts(row: Any) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name not in _NO_KEYS}


def _differences(what: str, wanted: dict[Any, Any], found: dict[Any, Any]) -> Iterator[str]:
    for key in sorted(wanted.keys() | found.keys(), key=str):
        expected, there = wanted.get(key, {}), found.get(key, {})
        names = expected.keys() | there.keys()
        off = {name for name in names if abs(float(there.get(name, 0)) - expected.get(name, 0)) > _TOLERANCE}
        if off or not there:
            yield f"{what} of {key}: {dict(there)}, not {dict(expected)}"
