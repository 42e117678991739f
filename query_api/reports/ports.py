"""The ports of reports; their adapters are in `postgres/`.

A query is a value. A cursor is bound to one query, so that no other report accepts it. Rows raise
`ReadModelUnavailable` or `Overloaded` (errors.py), and with `applied` `ReadModelBehind` if the server that
answers has not applied it.
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Literal, NamedTuple, Protocol, TypeVar
from uuid import UUID

from msgspec import Struct

from query_api.applied import Applied

GroupBy = Literal["day", "category", "brand"]
StockState = Literal["open", "closed"]


class Counts(NamedTuple):
    """Products by status."""

    draft: int
    active: int
    archived: int

    def of(self, statuses: Sequence[str]) -> int:
        """The number of products with one of these statuses."""
        return sum(getattr(self, status) for status in statuses)


class KeyPosition(NamedTuple):
    """The end of a page: the unique key of its last row."""

    key: str


class CategoryQuery(Struct, frozen=True, kw_only=True, tag=True):
    """Categories with a product of these statuses in or below them, `levels` below `parent` or the top."""

    statuses: tuple[str, ...]
    parent: str | None = None
    levels: int | None = None


class CategoryRow(NamedTuple):
    """A category by its path; `own` counts products in the category itself, `subtree` also those below it."""

    path: str
    depth: int
    own: Counts
    subtree: Counts

    @property
    def position(self) -> KeyPosition:
        return KeyPosition(self.path)


class BrandQuery(Struct, frozen=True, kw_only=True, tag=True):
    """Brands with a product of these statuses."""

    statuses: tuple[str, ...]


class BrandRow(NamedTuple):
    """A brand and its products."""

    brand: str
    counts: Counts

    @property
    def position(self) -> KeyPosition:
        return KeyPosition(self.brand)


class StockQuery(Struct, frozen=True, kw_only=True, tag=True):
    """Stock items, filtered by any of these."""

    sku: str | None = None
    product_id: UUID | None = None
    state: StockState | None = None


class StockRow(NamedTuple):
    """A stock item; `closed_at` is None while it is open."""

    sku: str
    product_id: UUID
    state: StockState
    opened_at: datetime
    closed_at: datetime | None

    @property
    def position(self) -> KeyPosition:
        return KeyPosition(self.sku)


class DaysQuery(Struct, frozen=True, kw_only=True):
    """A query of analytics: `category` with all below it, days inclusive (None: see `analytics.py`)."""

    from_day: date | None = None
    to_day: date | None = None
    category: str | None = None
    brand: str | None = None
    group_by: GroupBy = "day"


class ChangesQuery(DaysQuery, frozen=True, kw_only=True, tag=True):
    """A query for changes of products and variants."""


class PricesQuery(DaysQuery, frozen=True, kw_only=True, tag=True):
    """A query for price changes."""

    currency: str | None = None


class Days(NamedTuple):
    """First and last day, both inclusive."""

    first: date
    last: date


class GroupPosition(NamedTuple):
    """The end of a page: its last group. `key` None: products without a category or brand, which come last.

    It contains the days, so that all pages are about the same days even if a new day has begun.
    """

    key: str | None
    currency: str
    days: Days


class ChangesRow(NamedTuple):
    """One group: its day, category or brand, and the number of changes of each kind."""

    key: str | None
    counts: Mapping[str, int]

    @property
    def currency(self) -> str:
        return ""


class PricesRow(NamedTuple):
    """The price changes of one group in one currency; the ratios of `compared` of them are known."""

    key: str | None
    currency: str
    price_changes: int
    price_increases: int
    price_decreases: int
    compared: int
    log_ratio_sum: Decimal


K = TypeVar("K", contravariant=True, bound=Struct)
R = TypeVar("R", covariant=True)


class KeyedRows(Protocol[K, R]):
    """Rows in the order of their keys."""

    async def page(
        self, query: K, after: KeyPosition | None, rows_max: int, applied: Applied | None = None
    ) -> Sequence[R]: ...


class GroupedRows(Protocol[K, R]):
    """Groups in the order of their keys, then currencies."""

    async def page(
        self,
        query: K,
        days: Days,
        after: GroupPosition | None,
        rows_max: int,
        applied: Applied | None = None,
    ) -> Sequence[R]: ...
