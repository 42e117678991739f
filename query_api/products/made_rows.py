"""The newest rows that this process has made from the event log: where the next look at the log begins.

A writer who changes a product again and again asks for one version after the other. With the last one at hand
the cache need not be asked first; the log says what came after it.
"""

from collections import OrderedDict
from uuid import UUID

from query_api.products.ports import ProductRow


class MadeRows:
    """The last ones, at most so many and of so many bytes."""

    def __init__(self, *, rows_max: int, bytes_max: int) -> None:
        self._rows_max = rows_max
        self._bytes_max = bytes_max
        self._rows: OrderedDict[UUID, ProductRow] = OrderedDict()
        self._bytes = 0

    def of(self, product_id: UUID) -> ProductRow | None:
        """The row of the product; the cache may have a newer one."""
        return self._rows.get(product_id)

    def keep(self, row: ProductRow) -> None:
        """This is the newest one."""
        self.forget(row.product_id)
        self._rows[row.product_id] = row
        self._bytes += len(row.body or b"")
        while len(self._rows) > self._rows_max or self._bytes > self._bytes_max:
            _, oldest = self._rows.popitem(last=False)
            self._bytes -= len(oldest.body or b"")

    def forget(self, product_id: UUID) -> None:
        """The log does not continue it: it may be of a log that was restored since."""
        row = self._rows.pop(product_id, None)
        if row is not None:
            self._bytes -= len(row.body or b"")
