"""What of the past a reader sees: no more than the rights that it would have needed then, and has today.

A version counts as the product did: without `products:read-drafts` the active versions are all there is, and
only of products that are active today. A deleted product needs `products:audit`.
"""

from typing import NamedTuple

from shared.contract.views import ProductDocument


class Reader(NamedTuple):
    """The rights of a caller; while access control is off everybody has both. `sees_deleted` is the right to
    audit.
    """

    sees_drafts: bool
    sees_deleted: bool

    @property
    def sees_actors(self) -> bool:
        """Whether it may know who did it."""
        return self.sees_deleted

    @property
    def sees_everything(self) -> bool:
        """Whether no product has to be looked at first."""
        return self.sees_drafts and self.sees_deleted

    def seen(self, document: ProductDocument | None) -> ProductDocument | None:
        """None for a version that this reader may not see."""
        if document is None or self.sees_drafts or document.status == "active":
            return document
        return None

    def may_ask(self, newest: ProductDocument | None) -> bool:
        """Whether the product is there for this reader; `newest` None: it is deleted."""
        return self.sees_deleted if newest is None else self.seen(newest) is not None
