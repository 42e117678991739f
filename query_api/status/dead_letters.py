"""What projections have parked, with the commands that look at it, retry it and discard it.

Reading is all that an API does here: an operator copies the command, which asks who does it and why.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from msgspec import Struct

from query_api.cursors import Cursors
from query_api.status.ports import DeadLetter, DeadLetterPosition, DeadLetters

_COMMAND = "python -m projector dead-letters"


class DeadLetterQuery(Struct, frozen=True, tag="dead-letters"):
    """Which ones; None: of all projections. A cursor is bound to it."""

    projection: str | None


class DeadLetterPage(NamedTuple):
    """One page; `next_cursor` is None on the last one."""

    items: Sequence[DeadLetter]
    next_cursor: str | None


class ListDeadLetters:
    """The use case. Raises `BadParameter`, or `Unavailable` if the read model cannot answer."""

    def __init__(self, dead_letters: DeadLetters, cursors: Cursors[DeadLetterPosition]) -> None:
        self._dead_letters = dead_letters
        self._cursors = cursors

    async def page(self, query: DeadLetterQuery, cursor: str | None, limit: int) -> DeadLetterPage:
        """The oldest first. Reads one more, to see whether there is a next page."""
        after = None if cursor is None else self._cursors.decode(cursor, query)
        found = await self._dead_letters.page(query.projection, after, limit + 1)
        items = found[:limit]
        is_last = len(items) == len(found)
        return DeadLetterPage(items, None if is_last else self._cursors.encode(items[-1].position, query))


def commands(letter: DeadLetter) -> Mapping[str, str]:
    """Command lines to copy. The last one is refused until the operator has written the reason after it."""
    which = f"--id {letter.dead_letter_id}"
    if letter.product_id is not None:
        which = f"--product {letter.product_id}"
    chosen = f"--projection {letter.projection} {which}"
    return {
        "show": f"{_COMMAND} show {chosen}",
        "retry": f"{_COMMAND} retry {chosen}",
        "discard": f"{_COMMAND} discard {chosen} --reason",
    }


def cause(letter: DeadLetter) -> str:
    """The cause of a mail names its recipient, so it is not in the read model's rows for readers."""
    if letter.cause is not None:
        return letter.cause
    return f"{letter.error_class}; `show` prints the cause, which names the recipient"
