"""Parameters and answers of analytics, as OpenAPI describes them."""

import re
from datetime import date
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, Field

from query_api.http.parameters import CategoryPath, Paging, Text, known_currency
from query_api.reports.analytics import DAYS_DEFAULT, DAYS_MAX
from query_api.reports.ports import ChangesQuery, GroupBy, PricesQuery

_date = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)


def _date_only(value: Any) -> Any:
    """Dates only: pydantic alone would also accept Unix times, and times at midnight."""
    if not isinstance(value, str) or _date.fullmatch(value) is None:
        raise ValueError("is not a date such as 2026-01-31")
    return value


Day = Annotated[date, BeforeValidator(_date_only)]


class _DaysParameters(Paging):
    from_day: Day | None = Field(
        None, alias="from", description=f"First UTC day; by default {DAYS_DEFAULT} days up to `to`."
    )
    to_day: Day | None = Field(None, alias="to", description="Last UTC day, included; by default today.")
    category: CategoryPath | None = Field(None, description="A category path: it and all below it.")
    brand: Text | None = Field(None, description="Exactly this brand.")
    group_by: GroupBy = Field("day", description=f"One item for each; {DAYS_MAX} days at most are reported.")


class ChangesParameters(_DaysParameters):
    """The query string of `GET /v1/analytics/changes`."""

    def query(self) -> ChangesQuery:
        """As a value."""
        return ChangesQuery(**_days(self))


class PricesParameters(_DaysParameters):
    """The query string of `GET /v1/analytics/prices`."""

    currency: str | None = Field(None, pattern="^[A-Z]{3}$", description="Only this ISO 4217 currency.")

    def query(self) -> PricesQuery:
        """As a value. Raises `BadParameter`."""
        return PricesQuery(**_days(self), currency=known_currency(self.currency))


def _days(given: _DaysParameters) -> dict[str, Any]:
    return {name: getattr(given, name) for name in ("from_day", "to_day", "category", "brand", "group_by")}


class _Grouped(BaseModel):
    """Of the group's day, category or brand one is there: what was grouped by."""

    day: date | None = None
    category: str | None = Field(None, description="Null: products without one.")
    brand: str | None = Field(None, description="Null: products without one.")


class ChangesItem(_Grouped):
    """How much happened, each event where its product was at the time."""

    products_created: int
    products_published: int
    products_archived: int
    products_restored: int
    products_deleted: int
    details_changed: int
    variants_added: int = Field(description="Without those that products were created with.")
    variants_changed: int
    variants_removed: int
    price_changes: int = Field(description="Also those that came with a change of the variant.")
    price_increases: int
    price_decreases: int


class PricesItem(_Grouped):
    """How prices moved in one currency."""

    currency: str
    price_changes: int
    price_increases: int
    price_decreases: int
    compared: int = Field(description="Changes of which new / old is known: same currency, neither is 0.")
    average_relative_change: float | None = Field(
        description="Geometric mean of new / old over these, less 1: 0.05 is 5 % up, there and back is 0."
    )


class _Report(BaseModel):
    from_day: date = Field(alias="from")
    to_day: date = Field(alias="to")
    group_by: GroupBy
    next_cursor: str | None


class ChangesReport(_Report):
    """Changes between two UTC days, both included; groups in which nothing happened are absent."""

    items: list[ChangesItem]


class PricesReport(_Report):
    """Moves of prices between two UTC days, both included; groups in which none moved are absent."""

    items: list[PricesItem]
