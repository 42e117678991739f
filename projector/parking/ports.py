"""Selects dead letters, and the port that reads them; `postgres/` implements it."""

from datetime import datetime
from typing import Any, NamedTuple, Protocol
from uuid import UUID

from projector.applying.dead_letters import Action
from projector.parking.answers import ListedDeadLetter


class Narrowed(NamedTuple):
    """Selects dead letters of one projection, or of all: those that fit each field that is not None."""

    product_id: UUID | None = None
    dead_letter_id: int | None = None
    error_class: str | None = None


class Count(NamedTuple):
    """Parked products, records that are parked alone, and the server's time of the count."""

    products: int
    alone: int
    counted_at: datetime

    @property
    def dead_letters(self) -> int:
        """Both together."""
        return self.products + self.alone


class UnknownDeadLetter(LookupError):
    """There is no dead letter with that id; the text says how to find the right one."""


class StoredDeadLetters(Protocol):
    """Reads the stored dead letters. Raises `Unavailable`."""

    async def products(
        self,
        projection: str | None,
        narrowed: Narrowed,
        limit: int,
        *,
        until: datetime | None = None,
        after: ListedDeadLetter | None = None,
    ) -> list[ListedDeadLetter]:
        """Parked products, oldest first. `until`: parked by then. `after`: the last one of the page before,
        only with one projection.
        """

    async def alone(
        self,
        projection: str | None,
        narrowed: Narrowed,
        limit: int,
        *,
        until: datetime | None = None,
        after: ListedDeadLetter | None = None,
    ) -> list[ListedDeadLetter]:
        """Records that are parked alone, in the same way."""

    async def count(self, projection: str | None, narrowed: Narrowed) -> Count:
        """How many of both there are."""

    async def events(
        self, projection: str | None, narrowed: Narrowed, limit: int
    ) -> tuple[list[dict[str, Any]], int]:
        """The parked records, of any class, as rows of `show_dead_letters.sql`; and how many there are."""

    async def order_parking(
        self, projection: str, topic: str, partition: int, offset: int, action: Action
    ) -> None: ...
