"""Products per category, in it and below it, and per brand, by status; deleted products count nowhere."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

import asyncpg

PROJECTION = "category_view"
_STATUSES = ("draft", "active", "archived")


async def gather(place: Any) -> dict[str, dict[str, tuple[int, ...]]]:
    """ "categories" and "brands": key -> its counts as they stand in the row."""
    connection = await asyncpg.connect(place.read_model.owner)
    try:
        categories = await connection.fetch(
            "SELECT path, draft, active, archived, subtree_draft, subtree_active, subtree_archived"
            " FROM views.category_view_category"
        )
        brands = await connection.fetch(
            "SELECT brand, draft, active, archived FROM views.category_view_brand"
        )
    finally:
        await connection.close()
    return {
        "categories": {row[0]: tuple(row)[1:] for row in categories},
        "brands": {row[0]: tuple(row)[1:] for row in brands},
    }


def problems(history: Any, seen: dict[str, dict[str, tuple[int, ...]]]) -> Iterator[str]:
    """Every count is that of the live products."""
    own: Counter[tuple[str, str]] = Counter()
    below: Counter[tuple[str, str]] = Counter()
    of_brand: Counter[tuple[str, str]] = Counter()
    for document in history.live.values():
        status, category, brand = document["status"], document["category"], document["brand"]
        if category is not None:
            own[category, status] += 1
            parts = category.split("/")
            for depth in range(1, len(parts) + 1):
                below["/".join(parts[:depth]), status] += 1
        if brand is not None:
            of_brand[brand, status] += 1
    categories = {path: (*_row(own, path), *_row(below, path)) for path, _ in below}
    yield from _differences("category", categories, seen["categories"])
    yield from _differences("brand", {brand: _row(of_brand, brand) for brand, _ in of_brand}, seen["brands"])


def _row(counts: Counter[tuple[str, str]], key: str) -> tuple[int, ...]:
    return tuple(counts[key, status] for status in _STATUSES)


def _differences(what: str, wanted: dict[str, Any], found: dict[str, Any]) -> Iterator[str]:
    for key in sorted(wanted.keys() | found.keys()):
        if wanted.get(key) != found.get(key):
            yield f"{what} {key!r} counts {found.get(key)}, not {wanted.get(key)}"
