"""What an importer reports when its run has ended, and the port that keeps it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol


class ImportIdTaken(Exception):
    """Another caller has reported an import with this id."""

    def __init__(self) -> None:
        super().__init__("another caller has reported an import with this id")


@dataclass(frozen=True, slots=True)
class ImportRun:
    """One run. Counts are of products, but `events`; that is None if some answers did not say.

    `rejects`: lines, key and reason of each rejected product, without `rejects_left_out` more.
    """

    import_id: str
    file: str
    caller: str
    started_at: datetime
    finished_at: datetime
    products: int
    created: int
    changed: int
    unchanged: int
    rejected: int
    events: int | None
    rejects: Sequence[dict[str, Any]]
    rejects_left_out: int


class ImportRuns(Protocol):
    """Keeps the newest ones."""

    async def keep(self, run: ImportRun) -> None:
        """In place of an earlier report of the same run. Raises `ImportIdTaken`, `StoreUnavailable`."""
