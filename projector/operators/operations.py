"""What operators can do with dead letters and projections, whether by command line or over HTTP."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Protocol
from uuid import UUID

from msgspec import Struct

from projector.applying.ports import Action
from projector.control.ports import ControlBoard
from projector.errors import ProjectorError
from projector.parking.dead_letter import DeadLetter, Result, of_product, of_record, result_of, shown
from projector.parking.drain import CannotDiscard, Drained, Draining

LETTERS_PER_ANSWER_MAX = 1000


class Letters(Protocol):
    """What is parked, to look at. Rows as the statements of their names tell. Raises `Unavailable`."""

    async def products(
        self, projection: str | None, product_id: UUID | None, error_class: str | None, limit: int
    ) -> list[dict[str, Any]]: ...

    async def alone(
        self, projection: str | None, error_class: str | None, limit: int
    ) -> list[dict[str, Any]]: ...

    async def events(
        self, projection: str | None, product_id: UUID | None, parked_event_id: int | None, limit: int
    ) -> list[dict[str, Any]]: ...

    async def order_parking(
        self, projection: str, topic: str, partition: int, offset: int, action: Action
    ) -> None: ...


class Chosen(Struct, frozen=True):
    """Which dead letters: of a projection, narrowed by any of the others."""

    projection: str
    product_id: UUID | None = None
    letter_id: int | None = None
    error_class: str | None = None


class UnknownProjection(ValueError):
    """There is no projection of that name; the text names those there are."""


class Operations:
    """`drains` has every projection, by name; `topic` is what they read."""

    def __init__(
        self,
        letters: Letters,
        board: ControlBoard,
        drains: Mapping[str, Callable[[], Draining]],
        topic: str,
    ) -> None:
        self._letters = letters
        self._board = board
        self._drains = drains
        self._topic = topic

    async def dead_letters(
        self, projection: str | None, product_id: UUID | None, error_class: str | None
    ) -> list[DeadLetter]:
        """Oldest first, at most `LETTERS_PER_ANSWER_MAX` of each kind. Raises `Unavailable`."""
        if projection is not None:
            self._check(projection)
        limit = LETTERS_PER_ANSWER_MAX
        products = await self._letters.products(projection, product_id, error_class, limit)
        found = [of_product(row) for row in products]
        if product_id is None:
            found += [of_record(row) for row in await self._letters.alone(projection, error_class, limit)]
        return sorted(found, key=lambda letter: (letter.parked_at, letter.letter_id))

    async def show(
        self, projection: str | None, product_id: UUID | None, letter_id: int | None
    ) -> list[dict[str, Any]]:
        """The parked records themselves, as a JSON document can hold them."""
        rows = await self._letters.events(projection, product_id, letter_id, LETTERS_PER_ANSWER_MAX)
        return [shown(row) for row in rows]

    async def retry(
        self,
        chosen: Chosen,
        action: Action,
        *,
        from_log: bool = False,
        resend_unknown: bool = False,
        is_dry: bool = False,
    ) -> list[Result]:
        """Try each again; one that fails again stays, and the others are tried all the same."""

        async def one(drain: Draining, letter: DeadLetter) -> Drained:
            if letter.product_id is None:
                return await drain.retry_unreadable(letter.letter_id, action, resend_unknown=resend_unknown)
            return await drain.retry(letter.product_id, action, from_log=from_log)

        return await self._each(chosen, one, "retried", is_dry)

    async def discard(
        self, chosen: Chosen, action: Action, *, first_only: bool = False, is_dry: bool = False
    ) -> list[Result]:
        """Give them up for good; `first_only`: of each product only the event that failed."""

        async def one(drain: Draining, letter: DeadLetter) -> Drained:
            if letter.product_id is None:
                return await drain.discard_unreadable(letter.letter_id, action)
            return await drain.discard(letter.product_id, action, events=1 if first_only else None)

        return await self._each(chosen, one, "discarded", is_dry)

    async def park(self, projection: str, partition: int, offset: int, action: Action) -> None:
        """Let the projection park one record that it cannot get past; it looks again by itself."""
        self._check(projection)
        await self._letters.order_parking(projection, self._topic, partition, offset, action)

    async def pause(self, projection: str, action: Action) -> None:
        """All its consumers stop reading within a second or so, after the batch in hand."""
        self._check(projection)
        await self._board.set(projection, action, is_paused=True)

    async def resume(self, projection: str, action: Action) -> None:
        """Go on, whether it was paused, had stopped, or waited because too much failed."""
        self._check(projection)
        await self._board.set(projection, action, is_paused=False)

    async def _each(
        self,
        chosen: Chosen,
        one: Callable[[Draining, DeadLetter], Awaitable[Drained]],
        outcome: str,
        is_dry: bool,
    ) -> list[Result]:
        self._check(chosen.projection)
        letters = await self.dead_letters(chosen.projection, chosen.product_id, chosen.error_class)
        if chosen.letter_id is not None:
            letters = [letter for letter in letters if letter.letter_id == chosen.letter_id]
        if is_dry:
            return [result_of(letter, f"would-be-{outcome}", Drained(0, letter.events)) for letter in letters]
        drain = self._drains[chosen.projection]()
        results = []
        for letter in letters:
            try:
                drained = await one(drain, letter)
            except (CannotDiscard, ProjectorError) as error:
                drained = Drained(0, letter.events, str(error))
            results.append(result_of(letter, "failed" if drained.cause else outcome, drained))
        return results

    def _check(self, projection: str) -> None:
        if projection not in self._drains:
            known = ", ".join(self._drains)
            raise UnknownProjection(f"no such projection: {projection}; there are {known}")
