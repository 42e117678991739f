"""Parameters and answers of the past, as OpenAPI describes them."""

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from query_api.http.parameters import Paging, Text, Time, WholeNumber, in_utc, known_currency, moment_of
from query_api.products.http.schemas import MoneyModel

DAYS_DEFAULT, DAYS_MAX = 30, 366
_MOMENT_CHARACTERS_MAX = 40
_Currency = Field(None, pattern="^[A-Z]{3}$", description="Only prices in this ISO 4217 currency.")


class DifferenceParameters(BaseModel):
    """The query string of `GET /v1/products/{id}/diff`."""

    model_config = ConfigDict(extra="forbid")

    from_moment: str = Field(
        alias="from",
        max_length=_MOMENT_CHARACTERS_MAX,
        examples=["1"],
        description="A version, or an RFC 3339 time.",
    )
    to_moment: str | None = Field(
        None,
        alias="to",
        max_length=_MOMENT_CHARACTERS_MAX,
        examples=["2"],
        description="A version, or an RFC 3339 time, not before `from`; by default now.",
    )

    def moments(self) -> tuple[int | datetime, int | datetime | None]:
        """As values. Raises `BadParameter`."""
        last = None if self.to_moment is None else moment_of("to", self.to_moment)
        return moment_of("from", self.from_moment), last


class PriceHistoryParameters(Paging):
    """The query string of `GET /v1/products/{id}/price-history`."""

    sku: Text | None = Field(None, description="Only the variant of this SKU.")
    currency: str | None = _Currency

    def known_currency(self) -> str | None:
        """The currency. Raises `BadParameter`."""
        return known_currency(self.currency)


class LowestPriceParameters(BaseModel):
    """The query string of `GET /v1/products/{id}/lowest-price`."""

    model_config = ConfigDict(extra="forbid")

    days: WholeNumber = Field(DAYS_DEFAULT, ge=1, le=DAYS_MAX, description="So many days of 24 hours.")
    sku: Text | None = Field(None, description="Only the variant of this SKU; by default the cheapest one.")
    currency: str | None = _Currency
    before: Time | None = Field(
        None, description="The days before this RFC 3339 time, such as that of a reduction; by default now."
    )

    def known_currency(self) -> str | None:
        """The currency. Raises `BadParameter`."""
        return known_currency(self.currency)

    def ends(self) -> datetime | None:
        """`before`. Raises `BadParameter`."""
        return in_utc("before", self.before)


class ChangeModel(BaseModel):
    """A changed field."""

    model_config = ConfigDict(title="Change")

    field: str = Field(
        description="`attributes.<name>` of an attribute; `variant`: added or removed; `variant_order`."
    )
    before: Any
    after: Any
    sku: str | None = Field(None, description="Of fields of a variant; absent elsewhere.")


class HistoryItemModel(BaseModel):
    """An event of a product."""

    model_config = ConfigDict(title="HistoryItem")

    version: int = Field(ge=1)
    type: str = Field(description="The event's type, such as `product-price-changed`.")
    time: datetime
    actor: str | None = Field(description="Null: unknown, or the caller lacks `products:audit`.")
    changes: list[ChangeModel]


class HistoryPageModel(BaseModel):
    """Events, newest first. It may have fewer than `limit` items though there is another page."""

    model_config = ConfigDict(title="HistoryPage")

    items: list[HistoryItemModel]
    next_cursor: str | None


class VersionModel(BaseModel):
    """One side of a difference."""

    model_config = ConfigDict(title="Version")

    version: int = Field(ge=1)
    updated_at: datetime


class OperationModel(BaseModel):
    """One operation of a JSON Patch (RFC 6902)."""

    model_config = ConfigDict(title="Operation", extra="allow")

    op: Literal["add", "remove", "replace", "move", "copy", "test"]
    path: str


class DifferenceModel(BaseModel):
    """What differs between two versions. `patch` makes the document of `from` that of `to`."""

    model_config = ConfigDict(title="Difference")

    from_version: VersionModel = Field(alias="from")
    to_version: VersionModel = Field(alias="to")
    changes: list[ChangeModel]
    patch: list[OperationModel]


class PricePointModel(BaseModel):
    """From `at` on the SKU has this price, or none."""

    model_config = ConfigDict(title="PricePoint")

    sku: str
    price: MoneyModel | None = Field(description="Null: from here on there is none.")
    for_sale: bool = Field(description="Whether customers could buy at it: the product is active.")
    at: datetime
    version: int = Field(ge=1)


class PricePageModel(BaseModel):
    """Changes of prices, newest first. It may have fewer than `limit` items though there is another page."""

    model_config = ConfigDict(title="PricePage")

    items: list[PricePointModel]
    next_cursor: str | None


class LowestPriceModel(BaseModel):
    """The lowest price in the days asked about."""

    model_config = ConfigDict(title="LowestPrice")

    sku: str
    price: MoneyModel
    at: datetime = Field(description="When in these days it began to hold; of equal ones the first.")
    days: int
