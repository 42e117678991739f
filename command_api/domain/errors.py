"""Why a command was refused. Refusals are the caller's to mend; nothing was written, nothing is retried.

    Refused
    +-- ProductNotFound            no such product, or it was deleted
    +-- VariantNotFound            the product has no variant of this SKU
    +-- TransitionNotAllowed       the status does not lead there
    +-- LastVariant                a product keeps at least one variant
    +-- TooManyVariants            the limit of a product is reached
    +-- ProductTooLarge            an encoded event or the document would pass its limit
"""


class Refused(Exception):
    """A command that may not happen; the text is for the caller."""


class ProductNotFound(Refused):
    """There is no such product, or it was deleted."""


class VariantNotFound(Refused):
    """The product has no variant of this SKU."""


class TransitionNotAllowed(Refused):
    """The product's status does not lead to the wanted one."""


class LastVariant(Refused):
    """A product keeps at least one variant."""


class TooManyVariants(Refused):
    """The product has as many variants as it may have."""


class ProductTooLarge(Refused):
    """An encoded event or the whole document would be larger than consumers accept."""
