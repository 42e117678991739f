"""The answers, as OpenAPI describes them.

The product models only describe: an answer contains the stored bytes, which are never serialised again.
"""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field
from pydantic.json_schema import SkipJsonSchema

from query_api.search.query import Tier

_Absent = SkipJsonSchema[None]
"""What is absent where it was not asked for, and never null."""


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


class MatchModel(BaseModel):
    """Why an item was found: the best field in which all words match, and the variants that are meant."""

    model_config = ConfigDict(title="Match")

    tier: Tier | None = Field(description="Null if the order is not by relevance.")
    skus: list[str] = Field(description="Those that `q` names, else those of the price; may be empty.")


class FacetValueModel(BaseModel):
    """A value and how many products have it."""

    model_config = ConfigDict(title="FacetValue")

    value: str
    count: int
    children: list["FacetValueModel"] | None = Field(
        None, description="Of a category: those directly below it. `value` is the whole path."
    )


class FacetRangeModel(BaseModel):
    """A range of prices and how many products have a variant in it."""

    model_config = ConfigDict(title="FacetRange")

    min: str
    max: str | None = Field(description="Null: no end.")
    count: int


class ProductPage(BaseModel):
    """A page of products; `next_cursor` is null on the last one. What was not asked for is absent."""

    items: list[ProductModel] = Field(description="With `fields`, only those and `id`.")
    next_cursor: str | None
    matches: list[MatchModel] | _Absent = Field(None, description="With `q`: one for each item.")
    corrected: str | None = Field(
        None, description="With `q`: the text that was used, if words were corrected."
    )
    total: int | _Absent = Field(None, description="With `with_total`: all products that match.")
    facets: dict[str, list[FacetValueModel | FacetRangeModel]] | _Absent = Field(
        None, description="With `facets`: the counts, most frequent first; prices in their order."
    )


class SuggestedProductModel(BaseModel):
    """A product whose name goes on like this."""

    model_config = ConfigDict(title="SuggestedProduct")

    id: UUID
    slug: str
    name: str
    brand: str | None


class SuggestedValueModel(BaseModel):
    """A brand or a category, and how many active products it has."""

    model_config = ConfigDict(title="SuggestedValue")

    value: str
    count: int


class SuggestionsModel(BaseModel):
    """What a text may become."""

    model_config = ConfigDict(title="Suggestions")

    products: list[SuggestedProductModel]
    brands: list[SuggestedValueModel]
    categories: list[SuggestedValueModel]
    corrected: str | None = Field(description="The text that was used, if words were corrected.")
