"""Facts as sums in columns, with one element for each key."""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

import msgspec

from projector.views.analytics.fold import Fact

Columns = tuple[Sequence[Any], ...]

_DIMENSION_BYTES = 16
_COUNTERS = (
    "products_created",
    "products_published",
    "products_archived",
    "products_restored",
    "products_deleted",
    "details_changed",
    "variants_added",
    "variants_changed",
    "variants_removed",
    "price_changes",
    "price_increases",
    "price_decreases",
)
_PRICE_COUNTERS = ("price_changes", "price_increases", "price_decreases", "compared")
CHANGE_COLUMNS = 4 + len(_COUNTERS)
PRICE_COLUMNS = 5 + len(_PRICE_COUNTERS) + 1
_encode = msgspec.msgpack.Encoder().encode


def change_columns(facts: Iterable[Fact]) -> Columns:
    """The arguments of `add_analytics_changes.sql`; empty without facts."""
    sums: dict[tuple[Any, ...], Counter[str]] = defaultdict(Counter)
    for fact in facts:
        counts = sums[fact.day, fact.category, fact.brand]
        counts[fact.kind] += 1
        counts.update(_moved(fact))
    rows = [
        (day, dimension(category, brand), category, brand, *(counts[name] for name in _COUNTERS))
        for (day, category, brand), counts in sums.items()
    ]
    return tuple(zip(*rows, strict=True))


def price_columns(facts: Iterable[Fact]) -> Columns:
    """The arguments of `add_analytics_prices.sql`; empty if no price moved."""
    sums: dict[tuple[Any, ...], Counter[str]] = defaultdict(Counter)
    ratios: dict[tuple[Any, ...], Decimal] = defaultdict(Decimal)
    for fact in facts:
        if fact.price is None:
            continue
        key = fact.day, fact.price.currency, fact.category, fact.brand
        sums[key].update(_moved(fact))
        if fact.price.log_ratio is not None:
            sums[key]["compared"] += 1
            ratios[key] += fact.price.log_ratio
    rows = [
        (
            day, dimension(category, brand), currency, category, brand,
            *(counts[name] for name in _PRICE_COUNTERS), ratios[day, currency, category, brand],
        )
        for (day, currency, category, brand), counts in sums.items()
    ]  # fmt: skip
    return tuple(zip(*rows, strict=True))


def dimension(category: str | None, brand: str | None) -> bytes:
    """A short key of both: the longest category and brand together do not fit into an index entry."""
    return hashlib.blake2b(_encode((category, brand)), digest_size=_DIMENSION_BYTES).digest()


def _moved(fact: Fact) -> list[str]:
    """The counters that a price move adds one to."""
    if fact.price is None:
        return []
    if fact.price.direction == 0:
        return ["price_changes"]
    return ["price_changes", "price_increases" if fact.price.direction > 0 else "price_decreases"]
