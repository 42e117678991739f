"""The dead letters that an operator selects, read in pages, however many they are."""

from collections.abc import AsyncIterator, Sequence
from datetime import datetime

from projector.parking.answers import ListedDeadLetter
from projector.parking.ports import Narrowed, StoredDeadLetters, UnknownDeadLetter

DEAD_LETTERS_PER_PAGE = 500


async def pages(
    dead_letters: StoredDeadLetters, projection: str, narrowed: Narrowed, until: datetime
) -> AsyncIterator[Sequence[ListedDeadLetter]]:
    """All that were parked by `until`, products first, each once; one that is released meanwhile may be
    missing.
    """
    for read in (dead_letters.products, dead_letters.alone):
        last: ListedDeadLetter | None = None
        while page := await read(projection, narrowed, DEAD_LETTERS_PER_PAGE, until=until, after=last):
            yield page
            if len(page) < DEAD_LETTERS_PER_PAGE:
                break
            last = page[-1]


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
