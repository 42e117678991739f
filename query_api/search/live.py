"""The index that answers searches now. A rebuild makes another one; the switch is one assignment."""

from typing import Generic, TypeVar

from query_api.errors import SearchUnavailable

T = TypeVar("T")


class LiveIndex(Generic[T]):
    """Ask for `current` at each search: it may be another one at the next. `missing_because` is for callers,
    while there is none.
    """

    def __init__(self, missing_because: str = "the search index is being built") -> None:
        self._missing_because = missing_because
        self._current: T | None = None

    @property
    def current(self) -> T:
        """Raises `SearchUnavailable` while no index has caught up."""
        if self._current is None:
            raise SearchUnavailable(self._missing_because)
        return self._current

    @property
    def is_there(self) -> bool:
        """Whether searches are answered."""
        return self._current is not None

    def switch(self, index: T) -> None:
        """From now on searches ask this one; those that are under way end on the other."""
        self._current = index
