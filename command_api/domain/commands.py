"""What a writer may ask for. Values are validated and normalised at the edge before they come here."""

from dataclasses import dataclass
from typing import Any

from shared.contract.events import Money, ProductCreated, Variant


@dataclass(frozen=True, slots=True)
class CreateProduct:
    """A new product, whole."""

    product: ProductCreated


@dataclass(frozen=True, slots=True)
class VariantUpsert:
    """A variant of an upsert: field -> new value; a field that is absent is kept, None clears it.

    `sku` None: the variant is found by its options, and keeps its SKU; a new one gets a made SKU.
    """

    sku: str | None
    changes: dict[str, Any]


@dataclass(frozen=True, slots=True)
class UpsertProduct:
    """Details of the product of `slug`: a field that is absent is kept, None clears it; the status stays.

    Each given value replaces the old one whole, `attributes` too. `variants`, where given, is the whole list
    in its order: the product's other variants are removed.
    """

    slug: str
    changes: dict[str, Any]
    variants: tuple[VariantUpsert, ...] | None


@dataclass(frozen=True, slots=True)
class ChangeDetails:
    """A JSON merge patch (RFC 7396) over the details: field -> new value, None clears.

    `attributes` is itself a merge patch; every other value replaces the old one whole.
    """

    changes: dict[str, Any]


@dataclass(frozen=True, slots=True)
class PutVariant:
    """Add the variant, or make the one of its SKU be like this; `must_be_new` refuses the latter."""

    variant: Variant
    must_be_new: bool = False


@dataclass(frozen=True, slots=True)
class RemoveVariant:
    """Give up one variant and its SKU."""

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
