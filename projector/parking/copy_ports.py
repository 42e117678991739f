"""The port through which dead letters are copied to Kafka; `postgres/` implements it."""

from collections.abc import Collection, Sequence
from contextlib import AbstractAsyncContextManager
from typing import NamedTuple, Protocol


class Uncopied(NamedTuple):
    """A dead letter that is not in the dead-letter topic yet."""

    dead_letter_id: int
    projection: str
    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes | None]]
    error_class: str
    cause: str


class UncopiedDeadLetters(Protocol):
    """Dead letters that are not in the dead-letter topic yet."""

    def uncopied(
        self, projections: Collection[str], events_max: int
    ) -> AbstractAsyncContextManager[Sequence[Uncopied]]:
        """Some of them; marked as copied when the block ends without an error. Raises `Unavailable`."""
