"""Which dead letters an operator means, and all of them in pages, however many there are."""

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any, NamedTuple, Protocol
from uuid import UUID

from projector.applying.dead_letters import Action
from projector.parking.dead_letter import ListedDeadLetter, of_product, of_record

LETTERS_PER_PAGE = 500


class Narrowed(NamedTuple):
    """Which letters of a projection, or of all: those for which each that is not None holds."""

    product_id: UUID | None = None
    letter_id: int | None = None
    error_class: str | None = None


class Place(NamedTuple):
    """Where a page of products ends."""

    parked_at: datetime
    product_id: UUID


class Count(NamedTuple):
    """Parked products, records that are parked alone, and when they were counted on the server's clock."""

    products: int
    alone: int
    counted_at: datetime

    @property
    def letters(self) -> int:
        """Both."""
        return self.products + self.alone


class UnknownDeadLetter(LookupError):
    """There is no dead letter of that number; the text says where to look."""


class StoredDeadLetters(Protocol):
    """What is parked, to look at. Rows as the statements of their names tell. Raises `Unavailable`."""

    async def products(
        self,
        projection: str | None,
        narrowed: Narrowed,
        limit: int,
        *,
        until: datetime | None = None,
        after: Place | None = None,
    ) -> list[dict[str, Any]]:
        """Parked products, oldest first. `until`: parked then or before; `after` is for one projection."""

    async def alone(
        self,
        projection: str | None,
        narrowed: Narrowed,
        limit: int,
        *,
        until: datetime | None = None,
        after: int | None = None,
    ) -> list[dict[str, Any]]:
        """Records that are parked alone, oldest first; `after` is the last one's number."""

    async def count(self, projection: str | None, narrowed: Narrowed) -> Count:
        """How many of both."""

    async def events(
        self, projection: str | None, narrowed: Narrowed, limit: int
    ) -> tuple[list[dict[str, Any]], int]:
        """The parked records themselves, whatever their class, and how many there are."""

    async def order_parking(
        self, projection: str, topic: str, partition: int, offset: int, action: Action
    ) -> None: ...


async def pages(
    letters: StoredDeadLetters, projection: str, narrowed: Narrowed, until: datetime
) -> AsyncIterator[list[ListedDeadLetter]]:
    """All that were parked until then, products first. Some may be taken out between two pages;
    one that stays comes once.
    """
    after: Place | None = None
    while True:
        rows = await letters.products(projection, narrowed, LETTERS_PER_PAGE, until=until, after=after)
        page = [of_product(row) for row in rows]
        if page:
            yield page
        if len(page) < LETTERS_PER_PAGE:
            break
        last = page[-1]
        assert last.product_id is not None, "a row of a product"
        after = Place(last.parked_at, last.product_id)
    number: int | None = None
    while True:
        rows = await letters.alone(projection, narrowed, LETTERS_PER_PAGE, until=until, after=number)
        page = [of_record(row) for row in rows]
        if page:
            yield page
        if len(page) < LETTERS_PER_PAGE:
            return
        number = page[-1].letter_id


async def check_dead_letter(letters: StoredDeadLetters, projection: str | None, narrowed: Narrowed) -> None:
    """Raises `UnknownDeadLetter` where a letter is named that nobody can retry or discard by that number."""
    if narrowed.letter_id is None or (await letters.count(projection, narrowed)).letters:
        return
    of = "" if projection is None else f" of {projection}"
    found, _ = await letters.events(projection, Narrowed(letter_id=narrowed.letter_id), 1)
    if found and found[0]["product_id"] is not None and narrowed.product_id in (None, found[0]["product_id"]):
        raise UnknownDeadLetter(
            f"record {narrowed.letter_id}{of} is not the first that is parked of its product: "
            f"choose the product, --product {found[0]['product_id']}"
        )
    raise UnknownDeadLetter(
        f"there is no dead letter {narrowed.letter_id}{of}: dead-letters list shows the numbers"
    )
