"""The refusals of commands. The caller has to correct the command; nothing was written, nothing is retried.

Refused
+-- ProductNotFound            no such product, or it was deleted
+-- VariantNotFound            the product has no variant of this SKU
+-- VariantExists              the caller wanted to add this variant, and the product has it already
+-- TransitionNotAllowed       the product's status does not allow the transition
+-- LastVariant                a product keeps at least one variant
+-- TooManyVariants            the limit of a product is reached
+-- UpsertIncomplete           an upsert lacks required fields
|   +-- NewProductIncomplete   a product that does not exist yet needs a name and variants
|   +-- VariantNeedsPrice      a variant that does not exist yet needs a price
|   +-- VariantAmbiguous       a variant without SKU and options, and several variants that it could be
+-- ProductTooLarge            an encoded event or the document would exceed its limit
+-- VersionDoesNotMatch        the product is not at the version that the caller named
+-- TooManyConflicts           the retries after version conflicts are used up
+-- SlugTaken, SkuTaken        unique over the catalogue
+-- KeyReused                  an idempotency key with another payload than the first time
"""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID


class Refused(Exception):
    """The command is refused; the text is for the caller."""


class ProductNotFound(Refused):
    """The product does not exist, or was deleted."""

    def __init__(self) -> None:
        super().__init__("there is no such product")


class VariantNotFound(Refused):
    """The product has no variant of this SKU."""


class VariantExists(Refused):
    """The product has a variant of this SKU, and the caller wanted a new one."""


class TransitionNotAllowed(Refused):
    """The product's status does not allow the transition."""


class LastVariant(Refused):
    """A product keeps at least one variant."""


class TooManyVariants(Refused):
    """The product has the greatest allowed number of variants."""


class UpsertIncomplete(Refused):
    """The upsert lacks these fields: JSON pointers into its product, such as `/variants/0/price`."""

    def __init__(self, message: str, *pointers: str) -> None:
        super().__init__(message)
        self.pointers = pointers


class NewProductIncomplete(UpsertIncomplete):
    """No product has this slug, and the upsert lacks fields to create one."""


class VariantNeedsPrice(UpsertIncomplete):
    """The variant is new, so there is no price to keep."""


class VariantAmbiguous(UpsertIncomplete):
    """The variant has neither SKU nor options, and the product has several that it could be."""


class ProductTooLarge(Refused):
    """An encoded event or the whole document would be larger than consumers accept."""


class VersionDoesNotMatch(Refused):
    """The product is at another version than the caller named (If-Match)."""

    def __init__(self, current_version: int) -> None:
        super().__init__(f"the product is at version {current_version}")
        self.current_version = current_version


class TooManyConflicts(Refused):
    """Other commands changed the product between each reading and writing, until the retries were used up."""

    def __init__(self, current_version: int) -> None:
        super().__init__(f"others keep changing the product; it is at version {current_version}")
        self.current_version = current_version


class SlugTaken(Refused):
    """Another product has this slug."""

    def __init__(self, slug: str) -> None:
        super().__init__(f"the slug {slug!r} belongs to another product")
        self.slug = slug


@dataclass(frozen=True, slots=True)
class HeldSku:
    """A SKU that the command wanted, and the product that holds it; `slug` None: the holder was deleted
    since.
    """

    sku: str
    product_id: UUID
    slug: str | None


class SkuTaken(Refused):
    """Another product has this SKU. `conflicts`: all wanted SKUs that other products hold now."""

    def __init__(self, sku: str, conflicts: Sequence[HeldSku] = ()) -> None:
        super().__init__(f"the SKU {sku!r} belongs to another product")
        self.sku = sku
        self.conflicts = tuple(conflicts)


class KeyReused(Refused):
    """The idempotency key was used for a request with another payload."""
