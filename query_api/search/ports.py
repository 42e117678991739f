"""The ports of search; `tantivy/` implements them.

An engine raises `SearchUnavailable` (errors.py).
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol
from uuid import UUID

from query_api.search.query import Found, SearchQuery, Suggestions, TextQuery
from shared.contract.consistency_token import ConsistencyToken


class SearchEngine(Protocol):
    """Answers searches from what has been applied to its index."""

    @property
    def mark(self) -> object | None:
        """The same object for as long as equal searches have equal answers; None: nobody knows."""
        ...

    async def search(self, query: SearchQuery) -> Found: ...

    async def suggest(self, text: TextQuery, *, statuses: Sequence[str], items_max: int) -> Suggestions: ...


class SearchProgress(Protocol):
    """How far the engine's index is."""

    async def reach(self, token: ConsistencyToken, wait_seconds: float) -> None:
        """Wait until searches show the token's write. Raises `ReadModelBehind` after `wait_seconds`, or
        `Overloaded` if too many wait.
        """
        ...


class IndexedState(NamedTuple):
    """One version of one product; `document` None: it is deleted."""

    product_id: UUID
    stream_version: int
    log_position: int
    partition: int
    document: bytes | None


class IndexCheckpoint(NamedTuple):
    """Up to where an index has the states: by partition of `products-state` the next offset, and the highest
    log position. `saved_at` is in Unix seconds: an old checkpoint may have missed tombstones.
    """

    next_offsets: Mapping[int, int]
    log_positions: Mapping[int, int]
    log_id: UUID | None
    saved_at: float


class ProductIndex(Protocol):
    """One index in one folder, written by one feed. The methods block; call them in a thread."""

    @property
    def checkpoint(self) -> IndexCheckpoint | None:
        """The last one that was applied; None for an empty index."""
        ...

    def apply(self, states: Sequence[IndexedState], checkpoint: IndexCheckpoint) -> None:
        """Both in one commit; afterwards searches show them. An older version than the index has changes
        nothing. Raises `SearchUnavailable`.
        """
        ...

    def refresh(self) -> None:
        """Use what the engine has tidied up since the last commit. Raises `SearchUnavailable`."""
        ...

    def close(self) -> None:
        """Let go of the folder."""
        ...
