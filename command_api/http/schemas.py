"""The models of request bodies: pydantic validates with them, and OpenAPI describes them.

Unknown fields are refused. The types of names are in `names.py`. Sizes are in characters unless a name says
bytes; limits are those of a product in the API's documentation.
"""

import math
from typing import Annotated, Any, Literal, Protocol, TypeVar

import msgspec
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    WithJsonSchema,
    model_validator,
)

from command_api.domain.limits import ATTRIBUTES_BYTES_MAX, VARIANTS_MAX
from command_api.http.names import Barcode, Category, Options, ShortText, Sku, Slug, Tags
from shared.contract.money import normal_amount

DESCRIPTION_BYTES_MAX = 64 * 1024
ATTRIBUTES_DEPTH_MAX = 32
IMAGES_MAX = 100
WEIGHT_GRAMS_MAX = 1_000_000_000


def _check_description(value: str) -> str:
    if len(value.encode()) > DESCRIPTION_BYTES_MAX:
        raise ValueError(f"longer than {DESCRIPTION_BYTES_MAX} bytes")
    return value


def _check_attributes(value: dict[str, Any]) -> dict[str, Any]:
    _check_value(value, ATTRIBUTES_DEPTH_MAX)
    if len(msgspec.json.encode(value)) > ATTRIBUTES_BYTES_MAX:
        raise ValueError(f"larger than {ATTRIBUTES_BYTES_MAX} bytes of JSON")
    return value


def _check_value(value: Any, depth_left: int) -> None:
    """Allows only values that every JSON reader keeps unchanged: 64-bit integers, finite numbers, bounded
    nesting.
    """
    if depth_left == 0:
        raise ValueError(f"nested deeper than {ATTRIBUTES_DEPTH_MAX} levels")
    if isinstance(value, dict | list):
        for each in value.values() if isinstance(value, dict) else value:
            _check_value(each, depth_left - 1)
    elif isinstance(value, float) and not math.isfinite(value):
        raise ValueError("a number that is not finite")
    elif isinstance(value, int) and not -(2**63) <= value < 2**63:
        raise ValueError("an integer of more than 64 bits")


Description = Annotated[
    str, StringConstraints(max_length=DESCRIPTION_BYTES_MAX), AfterValidator(_check_description)
]
Attributes = Annotated[dict[str, Any], AfterValidator(_check_attributes)]
WebAddress = Annotated[
    str, StringConstraints(min_length=8, max_length=2048, pattern=r"^https?://[^\s/?#]+\S*$")
]


Id = Annotated[str, WithJsonSchema({"type": "string", "format": "uuid"})]
"""A product's id as text; whether it is one, is decided where it is read."""


class Body(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class MoneyIn(Body):
    """A decimal string in the currency's precision; never a number."""

    amount: Annotated[str, StringConstraints(pattern=r"^(0|[1-9][0-9]{0,11})(\.[0-9]{1,4})?$")]
    currency: Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]

    @model_validator(mode="after")
    def _fits_the_currency(self) -> "MoneyIn":
        self.amount = normal_amount(self.amount, self.currency)
        return self


class ImageIn(Body):
    """A picture by address."""

    url: WebAddress
    alt: Annotated[str, StringConstraints(max_length=1024)] | None = None


class VariantBody(Body):
    """A variant without its SKU, which stands in the path."""

    options: Options = {}
    price: MoneyIn
    compare_at_price: MoneyIn | None = None
    barcode: Barcode | None = None
    weight_grams: Annotated[int, Field(ge=0, le=WEIGHT_GRAMS_MAX)] | None = None


class HasSku(Protocol):
    """Whatever may state a SKU."""

    sku: str


class VariantIn(VariantBody):
    """The sellable unit."""

    sku: Sku


AnyVariant = TypeVar("AnyVariant", bound=HasSku)


def distinct_skus(variants: list[AnyVariant]) -> list[AnyVariant]:
    """The variants. Raises if two have the same SKU; an empty SKU counts as none."""
    first: dict[str, int] = {}
    for index, variant in enumerate(variants):
        if variant.sku and first.setdefault(variant.sku, index) != index:
            raise ValueError(f"variants {first[variant.sku]} and {index} have the same SKU {variant.sku!r}")
    return variants


Variants = Annotated[
    list[VariantIn], Field(min_length=1, max_length=VARIANTS_MAX), AfterValidator(distinct_skus)
]


class ProductIn(Body):
    """A new product; it starts as a draft. The slug is made from the name where it is absent."""

    name: ShortText
    variants: Variants
    slug: Slug | None = None
    description: Description | None = None
    brand: ShortText | None = None
    product_type: ShortText | None = None
    category: Category | None = None
    tags: Tags = []
    attributes: Attributes = {}
    images: Annotated[list[ImageIn], Field(max_length=IMAGES_MAX)] = []


class PatchIn(Body):
    """JSON merge patch (RFC 7396): absent fields stay, null clears, lists are replaced, attributes merged."""

    name: ShortText = ""
    slug: Slug = ""
    description: Description | None = None
    brand: ShortText | None = None
    product_type: ShortText | None = None
    category: Category | None = None
    tags: Tags | None = None
    attributes: Attributes | None = None
    images: Annotated[list[ImageIn], Field(max_length=IMAGES_MAX)] | None = None


class Result(BaseModel):
    """What a successful write answers."""

    id: Id
    version: int
    status: Literal["draft", "active", "archived", "deleted"]
    slug: str
