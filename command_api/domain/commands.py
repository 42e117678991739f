"""The commands. Their values are already validated and normalised at the edge."""

from dataclasses import dataclass
from typing import Any

from shared.contract.events import Money, ProductCreated, Variant


@dataclass(frozen=True, slots=True)
class CreateProduct:
    """Create a product with all its fields."""

    product: ProductCreated


@dataclass(frozen=True, slots=True)
class VariantUpsert:
    """A variant of an upsert: field -> new value; an absent field is kept, None clears it.

    `sku` None: the variant is found by its options, and keeps its SKU; a new one gets a made SKU.
    """

    sku: str | None
    changes: dict[str, Any]


@dataclass(frozen=True, slots=True)
class UpsertProduct:
    """Create or change the product with `slug`: an absent field is kept, None clears it; the status stays.

    Each given value replaces the whole old one, `attributes` too. If `variants` is given, it is the whole
    list in its order: the product's other variants are removed.
    """

    slug: str
    changes: dict[str, Any]
    variants: tuple[VariantUpsert, ...] | None


@dataclass(frozen=True, slots=True)
class ChangeDetails:
    """A JSON merge patch (RFC 7396) over the details: field -> new value, None clears.

    `attributes` is itself a merge patch; every other value replaces the whole old one.
    """

    changes: dict[str, Any]


@dataclass(frozen=True, slots=True)
class PutVariant:
    """Add the variant, or replace the one with its SKU; `must_be_new` refuses the latter."""

    variant: Variant
    must_be_new: bool = False


@dataclass(frozen=True, slots=True)
class RemoveVariant:
    """Remove one variant and free its SKU."""

    sku: str


@dataclass(frozen=True, slots=True)
class ChangePrice:
    """A new price for one variant."""

    sku: str
    price: Money


@dataclass(frozen=True, slots=True)
class PublishProduct:
    """Show a draft to readers of lists."""


@dataclass(frozen=True, slots=True)
class ArchiveProduct:
    """Take an active product out of sale."""


@dataclass(frozen=True, slots=True)
class RestoreProduct:
    """Put an archived product back on sale."""


@dataclass(frozen=True, slots=True)
class DeleteProduct:
    """Remove the product for readers, whatever its status; its history stays."""


Command = (
    CreateProduct
    | UpsertProduct
    | ChangeDetails
    | PutVariant
    | RemoveVariant
    | ChangePrice
    | PublishProduct
    | ArchiveProduct
    | RestoreProduct
    | DeleteProduct
)
