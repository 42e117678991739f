"""The operations of a batch, as their bodies look. Only in an upsert and a patch does absent mean kept."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from command_api.domain.limits import VARIANTS_MAX
from command_api.http.names import Barcode, Options, Sku, Slug
from command_api.http.schemas import WEIGHT_GRAMS_MAX, Body, Id, MoneyIn, PatchIn, ProductIn, distinct_skus

# The default of a field that may be absent but not null; never looked at, because `model_fields_set` tells.
ABSENT_PRICE = MoneyIn.model_construct(amount="", currency="")


class UpsertVariantIn(Body):
    """A variant of an upsert: a field that is absent is kept, null clears it. A new variant needs a price.

    Without `sku` it is the product's variant with the same options, which keeps its SKU; a new one gets a
    made SKU: the slug and the option values.
    """

    sku: Sku = ""
    options: Options | None = None
    price: MoneyIn = ABSENT_PRICE
    compare_at_price: MoneyIn | None = None
    barcode: Barcode | None = None
    weight_grams: Annotated[int, Field(ge=0, le=WEIGHT_GRAMS_MAX)] | None = None


UpsertVariants = Annotated[
    list[UpsertVariantIn], Field(min_length=1, max_length=VARIANTS_MAX), AfterValidator(distinct_skus)
]


class UpsertProductIn(PatchIn):
    """A product by its slug: created, or made to be like this. An absent field is kept, null clears it.

    A field that is given replaces the old value whole, `attributes` too. `variants`, where given, is the
    whole list in its order: the product's other variants are removed. A new product needs `name` and
    `variants`.
    """

    slug: Slug
    variants: UpsertVariants = []


class _Operation(Body):
    if_version: Annotated[int, Field(ge=1)] | None = None


class CreateOperation(_Operation):
    """Create a product."""

    op: Literal["create"]
    product: ProductIn


class UpsertOperation(_Operation):
    """Create the product of this slug, or make it be like this; the status stays."""

    op: Literal["upsert"]
    product: UpsertProductIn


class UpdateOperation(_Operation):
    """Merge-patch the details."""

    op: Literal["update"]
    id: Id
    patch: PatchIn


class PriceOperation(_Operation):
    """Set one variant's price."""

    op: Literal["price"]
    id: Id
    sku: Sku
    price: MoneyIn


class StatusOperation(_Operation):
    """Move the product's status, or delete it."""

    op: Literal["publish", "archive", "restore", "delete"]
    id: Id


Operation = Annotated[
    CreateOperation | UpsertOperation | UpdateOperation | PriceOperation | StatusOperation,
    Field(discriminator="op"),
]
