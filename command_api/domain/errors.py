"""Why a command was refused. Refusals are the caller's to mend; nothing was written, nothing is retried.

Refused
+-- ProductNotFound            no such product, or it was deleted
+-- VariantNotFound            the product has no variant of this SKU
+-- VariantExists              the caller wanted to add this variant, and it is there already
+-- TransitionNotAllowed       the status does not lead there
+-- LastVariant                a product keeps at least one variant
+-- TooManyVariants            the limit of a product is reached
+-- UpsertIncomplete           an upsert lacks what it needs here
|   +-- NewProductIncomplete   a product that does not exist yet needs a name and variants
|   +-- VariantNeedsPrice      a variant that does not exist yet needs a price
|   +-- VariantAmbiguous       a variant without SKU and options, and more than one that it may be
+-- ProductTooLarge            an encoded event or the document would pass its limit
+-- VersionDoesNotMatch        not the version that the caller named
+-- TooManyConflicts           the retries after version conflicts are used up
+-- SlugTaken, SkuTaken        unique over the catalogue
+-- KeyReused                  an idempotency key with another payload than the first time
"""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID


class Refused(Exception):
    """A command that may not happen; the text is for the caller."""


class ProductNotFound(Refused):
    """There is no such product, or it was deleted."""

    def __init__(self) -> None:
        super().__init__("there is no such product")


class VariantNotFound(Refused):
    """The product has no variant of this SKU."""


class VariantExists(Refused):
    """The product has a variant of this SKU, and the caller wanted a new one."""


class TransitionNotAllowed(Refused):
    """The product's status does not lead to the wanted one."""


class LastVariant(Refused):
    """A product keeps at least one variant."""


class TooManyVariants(Refused):
    """The product has as many variants as it may have."""


class UpsertIncomplete(Refused):
    """The upsert lacks these fields: JSON pointers into its product, such as `/variants/0/price`."""

    def __init__(self, message: str, *pointers: str) -> None:
        super().__init__(message)
        self.pointers = pointers


class NewProductIncomplete(UpsertIncomplete):
    """No product has this slug, and the upsert does not say enough to create one."""


class VariantNeedsPrice(UpsertIncomplete):
    """The variant is new: there is no price that could be kept."""


class VariantAmbiguous(UpsertIncomplete):
    """It has neither SKU nor options, and there are several variants that it may be."""


class ProductTooLarge(Refused):
    """An encoded event or the whole document would be larger than consumers accept."""


class VersionDoesNotMatch(Refused):
    """The caller named versions (If-Match), and the product has another one."""

    def __init__(self, current_version: int) -> None:
        super().__init__(f"the product is at version {current_version}")
        self.current_version = current_version


class TooManyConflicts(Refused):
    """Others changed the product each time between reading and writing, until the retries were used up."""

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
    """A SKU that the command wanted, and the product that holds it; `slug` None: it has gone since."""

    sku: str
    product_id: UUID
    slug: str | None


class SkuTaken(Refused):
    """Another product has a variant of this SKU. `conflicts`: each wanted SKU that others hold, as of now."""

    def __init__(self, sku: str, conflicts: Sequence[HeldSku] = ()) -> None:
        super().__init__(f"the SKU {sku!r} belongs to another product")
        self.sku = sku
        self.conflicts = tuple(conflicts)


class KeyReused(Refused):
    """The idempotency key was used for a request with another payload."""
