"""What two stores of documents, the live and the rebuilt one, have in common and not, product by product."""

import hashlib
from collections.abc import AsyncIterator, Callable, Iterable
from uuid import UUID

from projector.rebuild.ports import Comparison

ProductIds = Callable[[int], AsyncIterator[Iterable[UUID]]]
"""All products of the log, in pages; the argument is the number of products in a page."""

_DIFFERENCES_SHOWN_MAX = 20


class ComparedDocuments:
    """The products so far, in the order of `ProductIds`."""

    def __init__(self) -> None:
        self._rows = self._left_out = self._different = 0
        self._checksum = hashlib.sha256()
        self._shown: list[str] = []

    def leave_out(self) -> None:
        """A product that cannot be compared now."""
        self._left_out += 1

    def add(self, live: bytes, difference: Callable[[], str] | None) -> None:
        """A product with its live document. `difference` is called if it is shown; None: both are equal."""
        self._rows += 1
        self._checksum.update(live)
        if difference is not None:
            self._different += 1
            if len(self._shown) < _DIFFERENCES_SHOWN_MAX:
                self._shown.append(difference())

    def result(self) -> Comparison:
        """All of them."""
        lines = list(self._shown)
        if self._different:
            lines.insert(0, f"{self._different} documents differ")
        if more := self._different - len(self._shown):
            lines.append(f"and {more} more")
        return Comparison(self._rows, self._checksum.hexdigest()[:32], lines, self._left_out)
