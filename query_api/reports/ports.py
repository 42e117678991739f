"""What reports need from outside, owned here; `postgres/` provides it.

A query is a value; a cursor is bound to it, so that it fits no other report. Rows raise
`ReadModelUnavailable` or `Overloaded` (errors.py).
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Literal, NamedTuple, Protocol, TypeVar
from uuid import UUID

from msgspec import Struct

GroupBy = Literal["day", "category", "brand"]
StockState = Literal["open", "closed"]


class Counts(NamedTuple):
    """Products by status."""

    draft: int
    active: int
    archived: int

    def of(self, statuses: Sequence[str]) -> int:
        """How many have one of these."""
        return sum(getattr(self, status) for status in statuses)


class KeyPosition(NamedTuple):
    """A page ended at the row of this key, which no other row has."""

    key: str


class CategoryQuery(Struct, frozen=True, kw_only=True, tag=True):
    """Categories with a product of these statuses in or below them, `levels` below `parent` or the top."""

    statuses: tuple[str, ...]
    parent: str | None = None
    levels: int | None = None


class CategoryRow(NamedTuple):
    """A category by its path; `own` are in this very category, `subtree` also below it."""

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
    """Stock items, narrowed by any of these."""

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
    """What is asked of analytics: `category` with all below it, days inclusive (None: see `analytics.py`)."""

    from_day: date | None = None
    to_day: date | None = None
    category: str | None = None
    brand: str | None = None
    group_by: GroupBy = "day"


class ChangesQuery(DaysQuery, frozen=True, kw_only=True, tag=True):
    """Of changes of products and variants."""


class PricesQuery(DaysQuery, frozen=True, kw_only=True, tag=True):
    """Of moves of prices."""

    currency: str | None = None


class Days(NamedTuple):
    """Both inclusive."""

    first: date
    last: date


class GroupPosition(NamedTuple):
    """A page ended at this group; `key` None: products without the category or brand, which come last.

    The days are kept, so that all pages are of the same ones although today has become another day.
    """

    key: str | None
    currency: str
    days: Days


class ChangesRow(NamedTuple):
    """One group: its day, category or brand, and how much of each kind happened."""

    key: str | None
    counts: Mapping[str, int]

    @property
    def currency(self) -> str:
        return ""


class PricesRow(NamedTuple):
    """One group's moves of prices in one currency; ratios of `compared` of them are known."""

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

    async def page(self, query: K, after: KeyPosition | None, rows_max: int) -> Sequence[R]: ...


class GroupedRows(Protocol[K, R]):
    """Groups in the order of their keys, then currencies."""

    async def page(self, query: K, days: Days, after: GroupPosition | None, rows_max: int) -> Sequence[R]: ...
