"""The accepted parameters and the answers, as OpenAPI describes them.

The product models only describe: an answer contains the stored bytes, which are never serialised again.
"""

import re
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field

from query_api.errors import BadParameter
from query_api.http.parameters import STATUSES_PATTERN, CategoryPath, Paging, Text, known_currency
from query_api.products.ports import ListFilters, Sort
from shared.contract.money import MoneyError, normal_amount
from shared.ops.plain_values import UUID_PATTERN

IDS_MAX = 200
_rfc3339 = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?([Zz]|[+-][0-9]{2}:[0-9]{2})",
    re.ASCII,
)


def _rfc3339_only(value: Any) -> Any:
    """RFC 3339 only: pydantic alone would also accept Unix times, and dates without a zone."""
    if not isinstance(value, str) or _rfc3339.fullmatch(value) is None:
        raise ValueError("is not an RFC 3339 time such as 2025-01-31T12:00:00Z")
    return value


Amount = Annotated[str, Field(pattern=r"^(0|[1-9][0-9]{0,11})(\.[0-9]{1,4})?$", examples=["19.90"])]


class ListParameters(Paging):
    """The query string of `GET /v1/products`; whatever is not here is refused."""

    category: CategoryPath | None = Field(None, description="A category path: it and all below it.")
    brand: Text | None = Field(None, description="Exactly this brand.")
    tag: Text | None = Field(None, description="Has this tag.")
    status: str = Field(
        "active",
        pattern=STATUSES_PATTERN,
        description="One or more of draft, active, archived, separated by commas.",
    )
    price_min: Amount | None = Field(None, description="One variant costs at least this; needs `currency`.")
    price_max: Amount | None = Field(None, description="One variant costs at most this; needs `currency`.")
    currency: str | None = Field(
        None, pattern="^[A-Z]{3}$", description="Has a variant with a price in this ISO 4217 currency."
    )
    ids: str | None = Field(
        None,
        pattern=f"^{UUID_PATTERN}(,{UUID_PATTERN}){{0,{IDS_MAX - 1}}}$",
        description=f"These products: up to {IDS_MAX} ids, separated by commas.",
    )
    sku: Text | None = Field(None, description="Has a variant of this SKU.")
    updated_after: Annotated[AwareDatetime, BeforeValidator(_rfc3339_only)] | None = Field(
        None, description="Changed after this RFC 3339 time."
    )
    sort: Sort = Field("-updated_at", description="Price sorts by the cheapest variant in `currency`.")

    def filters(self) -> ListFilters:
        """The filters in normal form. Raises `BadParameter` if parameters do not fit together."""
        return ListFilters(
            statuses=tuple(sorted(set(self.status.split(",")))),
            category=self.category,
            brand=self.brand,
            tag=self.tag,
            product_ids=None if self.ids is None else tuple(sorted(set(map(UUID, self.ids.split(","))))),
            sku=self.sku,
            updated_after=_in_utc(self.updated_after),
            currency=known_currency(self.currency),
            price_min=_amount("price_min", self.price_min, self.currency),
            price_max=_amount("price_max", self.price_max, self.currency),
            sort=self.sort,
        )


def _in_utc(time: datetime | None) -> datetime | None:
    try:
        return None if time is None else time.astimezone(UTC)
    except OverflowError as error:
        raise BadParameter("updated_after", "is out of range") from error


def _amount(parameter: str, amount: str | None, currency: str | None) -> Decimal | None:
    if amount is None:
        return None
    if currency is None:
        raise BadParameter(parameter, "needs currency", "needs-currency")
    try:
        return Decimal(normal_amount(amount, currency))
    except MoneyError as error:
        raise BadParameter(parameter, str(error)) from error


class MoneyModel(BaseModel):
    amount: str = Field(description="A decimal string in the currency's precision.")
    currency: str = Field(description="ISO 4217.")


class ImageModel(BaseModel):
    url: str
    alt: str | None


class VariantModel(BaseModel):
    sku: str
    options: dict[str, str]
    price: MoneyModel
    compare_at_price: MoneyModel | None
    barcode: str | None
    weight_grams: int | None


class ProductModel(BaseModel):
    """A product as readers see it."""

    model_config = ConfigDict(title="Product")

    id: UUID
    version: int = Field(ge=1, description="The stream version, which is the ETag too.")
    status: Literal["draft", "active", "archived"]
    slug: str
    name: str
    description: str | None
    brand: str | None
    product_type: str | None
    category: str | None
    tags: list[str]
    attributes: dict[str, Any]
    images: list[ImageModel]
    variants: list[VariantModel] = Field(min_length=1)
    created_at: datetime
    updated_at: datetime
    published_at: datetime | None


class ProductPage(BaseModel):
    """A page of products; `next_cursor` is null on the last one."""

    items: list[ProductModel]
    next_cursor: str | None
