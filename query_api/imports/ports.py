"""The port of imports; its adapter raises `EventLogUnavailable` or `Overloaded` (errors.py)."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple, Protocol

import msgspec


class ImportPosition(NamedTuple):
    """A place in the list of imports, which is in this order, the newest first."""

    started_at: datetime
    import_id: str


class ImportRow(NamedTuple):
    """A run of an importer. Counts are of products, but `events`, which is None if it was not counted."""

    import_id: str
    file: str
    caller: str
    started_at: datetime
    finished_at: datetime | None
    products: int
    created: int
    changed: int
    unchanged: int
    rejected: int
    events: int | None

    @property
    def position(self) -> ImportPosition:
        """Where a page that ends with it ends."""
        return ImportPosition(self.started_at, self.import_id)


class RejectedProducts(NamedTuple):
    """Lines, key and reason of each, as JSON; and how many are left out."""

    rejects: msgspec.Raw
    left_out: int


class Imports(Protocol):
    """What was reported."""

    async def page(self, after: ImportPosition | None, limit: int) -> Sequence[ImportRow]: ...

    async def one(self, import_id: str) -> tuple[ImportRow, RejectedProducts] | None: ...
