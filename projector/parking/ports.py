"""The dead letters that an operator selects, read in pages, however many they are."""

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any, NamedTuple, Protocol
from uuid import UUID

from projector.applying.dead_letters import Action
from projector.parking.dead_letter import ListedDeadLetter, of_product, of_record

DEAD_LETTERS_PER_PAGE = 500


class Narrowed(NamedTuple):
    """Selects dead letters of one projection, or of all: those that fit each field that is not None."""

    product_id: UUID | None = None
    dead_letter_id: int | None = None
    error_class: str | None = None


class Place(NamedTuple):
    """Where a page of products ends."""

    parked_at: datetime
    product_id: UUID


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
    """Reads the stored dead letters. The SQL files describe the rows. Raises `Unavailable`."""

    async def products(
        self,
        projection: str | None,
        narrowed: Narrowed,
        limit: int,
        *,
        until: datetime | None = None,
        after: Place | None = None,
    ) -> list[dict[str, Any]]:
        """Parked products, oldest first. `until`: parked by then. `after`: only with one projection."""

    async def alone(
        self,
        projection: str | None,
        narrowed: Narrowed,
        limit: int,
        *,
        until: datetime | None = None,
        after: int | None = None,
    ) -> list[dict[str, Any]]:
        """Records that are parked alone, oldest first; `after` is the id of the last one before."""

    async def count(self, projection: str | None, narrowed: Narrowed) -> Count:
        """How many of both there are."""

    async def events(
        self, projection: str | None, narrowed: Narrowed, limit: int
    ) -> tuple[list[dict[str, Any]], int]:
        """The parked records, of any class, and how many there are."""

    async def order_parking(
        self, projection: str, topic: str, partition: int, offset: int, action: Action
    ) -> None: ...


async def pages(
    dead_letters: StoredDeadLetters, projection: str, narrowed: Narrowed, until: datetime
) -> AsyncIterator[list[ListedDeadLetter]]:
    """All that were parked by `until`, products first, each once; one that is released meanwhile may be
    missing.
    """
    after: Place | None = None
    while True:
        rows = await dead_letters.products(
            projection, narrowed, DEAD_LETTERS_PER_PAGE, until=until, after=after
        )
        page = [of_product(row) for row in rows]
        if page:
            yield page
        if len(page) < DEAD_LETTERS_PER_PAGE:
            break
        last = page[-1]
        assert last.product_id is not None, "a row of a product"
        after = Place(last.parked_at, last.product_id)
    number: int | None = None
    while True:
        rows = await dead_letters.alone(
            projection, narrowed, DEAD_LETTERS_PER_PAGE, until=until, after=number
        )
        page = [of_record(row) for row in rows]
        if page:
            yield page
        if len(page) < DEAD_LETTERS_PER_PAGE:
            return
        number = page[-1].dead_letter_id


async def check_dead_letter(
    dead_letters: StoredDeadLetters, projection: str | None, narrowed: Narrowed
) -> None:
    """Raises `UnknownDeadLetter` if `narrowed` has an id that cannot be retried or discarded."""
    if narrowed.dead_letter_id is None or (await dead_letters.count(projection, narrowed)).dead_letters:
        return
    of = "" if projection is None else f" of {projection}"
    found, _ = await dead_letters.events(projection, Narrowed(dead_letter_id=narrowed.dead_letter_id), 1)
    if found and found[0]["product_id"] is not None and narrowed.product_id in (None, found[0]["product_id"]):
        raise UnknownDeadLetter(
            f"dead letter {narrowed.dead_letter_id}{of} is not the first one of its product: "
            f"select the product with --product {found[0]['product_id']}"
        )
    raise UnknownDeadLetter(
        f"there is no dead letter {narrowed.dead_letter_id}{of}; `dead-letters list` shows the ids"
    )
