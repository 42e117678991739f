"""The accepted parameters and the answers, as OpenAPI describes them.

The product models only describe: an answer contains the stored bytes, which are never serialised again.
"""

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from query_api.errors import BadParameter
from query_api.http.parameters import (
    STATUSES_PATTERN,
    CategoryPath,
    Paging,
    StreamVersion,
    Text,
    Time,
    in_utc,
    known_currency,
)
from query_api.products.ports import ListFilters, Sort
from shared.contract.money import MoneyError, normal_amount
from shared.ops.plain_values import UUID_PATTERN

IDS_MAX = 200
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
    updated_after: Time | None = Field(None, description="Changed after this RFC 3339 time.")
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
            updated_after=in_utc("updated_after", self.updated_after),
            currency=known_currency(self.currency),
            price_min=_amount("price_min", self.price_min, self.currency),
            price_max=_amount("price_max", self.price_max, self.currency),
            sort=self.sort,
        )


def _amount(parameter: str, amount: str | None, currency: str | None) -> Decimal | None:
    if amount is None:
        return None
    if currency is None:
        raise BadParameter(parameter, "needs currency", "needs-currency")
    try:
        return Decimal(normal_amount(amount, currency))
    except MoneyError as error:
        raise BadParameter(parameter, str(error)) from error


class OneParameters(BaseModel):
    """The query string of `GET /v1/products/{id}`: nothing, or which past is meant."""

    model_config = ConfigDict(extra="forbid")

    version: StreamVersion | None = Field(None, description="The product in this version.")
    as_of: Time | None = Field(None, description="The product at this RFC 3339 time; not with `version`.")

    def moment(self) -> int | datetime | None:
        """A version or a time; None: now. Raises `BadParameter`."""
        if self.version is not None and self.as_of is not None:
            raise BadParameter("as_of", "is not used together with version", "conflict")
        return self.version if self.version is not None else in_utc("as_of", self.as_of)


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
