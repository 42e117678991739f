"""What operators do with dead letters, by command line or over HTTP: list, show, retry, discard, park."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, NamedTuple

from projector.applying.dead_letters import Action
from projector.errors import ProjectorError, Unavailable, check_projection
from projector.parking.dead_letter import ListedDeadLetter, Result, of_product, of_record, result_of, shown
from projector.parking.ports import Narrowed, StoredDeadLetters, check_dead_letter, pages
from projector.parking.retry import CannotDiscard, Released, Retrying
from shared.ops.logs import get_logger

_log = get_logger(__name__)
DEAD_LETTERS_PER_ANSWER_MAX = 1000
"""Of each kind, where they are only shown."""
_OUTAGES_IN_A_ROW_MAX = 3


class Listed(NamedTuple):
    """The oldest dead letters, or their records, and how many there are in all."""

    shown: list[Any]
    total: int


class Summary(NamedTuple):
    """What became of all that were chosen.

    `parked_now`: how many letters match afterwards (they failed, were not tried, or were parked meanwhile);
    None: not known. `stopped_by`: the outage that ended it early.
    """

    done: int
    failed: int
    parked_now: int | None
    stopped_by: str | None = None


Tell = Callable[[Sequence[Result]], None]
"""Hears of the letters of one page."""


class DeadLetters:
    """`drains` has every projection, by name; `topic` is what they read."""

    def __init__(
        self,
        letters: StoredDeadLetters,
        drains: Mapping[str, Callable[[], Retrying]],
        topic: str,
    ) -> None:
        self._letters = letters
        self._drains = drains
        self._topic = topic

    async def listed(self, projection: str | None, narrowed: Narrowed) -> Listed:
        """`ListedDeadLetter`s, oldest first, at most `DEAD_LETTERS_PER_ANSWER_MAX` of each kind.

        Raises `Unavailable`, `UnknownDeadLetter`.
        """
        if projection is not None:
            self._check(projection)
        await check_dead_letter(self._letters, projection, narrowed)
        limit = DEAD_LETTERS_PER_ANSWER_MAX
        found = [of_product(row) for row in await self._letters.products(projection, narrowed, limit)]
        found += [of_record(row) for row in await self._letters.alone(projection, narrowed, limit)]
        total = len(found)
        if total >= limit:
            total = (await self._letters.count(projection, narrowed)).letters
        return Listed(sorted(found, key=lambda letter: (letter.parked_at, letter.letter_id)), total)

    async def show(self, projection: str | None, narrowed: Narrowed) -> Listed:
        """The parked records themselves, as a JSON document can hold them. Raises `UnknownDeadLetter`."""
        rows, total = await self._letters.events(projection, narrowed, DEAD_LETTERS_PER_ANSWER_MAX)
        if narrowed.letter_id is not None and not rows:
            await check_dead_letter(self._letters, projection, narrowed)
        return Listed([shown(row) for row in rows], total)

    async def retry(
        self,
        projection: str,
        narrowed: Narrowed,
        action: Action,
        tell: Tell,
        *,
        from_log: bool = False,
        resend_unknown: bool = False,
        is_dry: bool = False,
    ) -> Summary:
        """Try each again; one that fails again stays, and the others are tried all the same."""

        async def one(drain: Retrying, letter: ListedDeadLetter) -> Released:
            if letter.product_id is None:
                return await drain.retry_single(letter.letter_id, action, resend_unknown=resend_unknown)
            return await drain.retry(letter.product_id, action, from_log=from_log)

        return await self._each(projection, narrowed, one, "retried", tell, is_dry)

    async def discard(
        self,
        projection: str,
        narrowed: Narrowed,
        action: Action,
        tell: Tell,
        *,
        first_only: bool = False,
        is_dry: bool = False,
    ) -> Summary:
        """Give them up for good; `first_only`: of each product only the event that failed."""

        async def one(drain: Retrying, letter: ListedDeadLetter) -> Released:
            if letter.product_id is None:
                return await drain.discard_single(letter.letter_id, action)
            return await drain.discard(letter.product_id, action, events=1 if first_only else None)

        return await self._each(projection, narrowed, one, "discarded", tell, is_dry)

    async def park(self, projection: str, partition: int, offset: int, action: Action) -> None:
        """Let the projection park one record that it cannot get past; it looks again by itself."""
        self._check(projection)
        await self._letters.order_parking(projection, self._topic, partition, offset, action)

    async def _each(
        self,
        projection: str,
        narrowed: Narrowed,
        one: Callable[[Retrying, ListedDeadLetter], Awaitable[Released]],
        outcome: str,
        tell: Tell,
        is_dry: bool,
    ) -> Summary:
        """Raises `UnknownProjection`, `UnknownDeadLetter`, and `Unavailable` where nothing was done yet."""
        self._check(projection)
        await check_dead_letter(self._letters, projection, narrowed)
        until = (await self._letters.count(projection, narrowed)).counted_at
        run = _Run(self._drains[projection], one, outcome, is_dry)
        stopped_by: str | None = None
        try:
            async for page in pages(self._letters, projection, narrowed, until):
                tell(await run.page(page))
                if run.outages >= _OUTAGES_IN_A_ROW_MAX:
                    stopped_by = run.last_cause
                    break
            parked_now = (await self._letters.count(projection, narrowed)).letters
        except Unavailable as error:
            if not run.done and not run.failed:
                raise
            return Summary(run.done, run.failed, None, str(error))
        return Summary(run.done, run.failed, parked_now, stopped_by)

    def _check(self, projection: str) -> None:
        check_projection(projection, self._drains)


class _Run:
    """Counts while it goes through pages. `outages`: so many letters in a row met one."""

    def __init__(
        self,
        make_drain: Callable[[], Retrying],
        one: Callable[[Retrying, ListedDeadLetter], Awaitable[Released]],
        outcome: str,
        is_dry: bool,
    ) -> None:
        self.done = self.failed = self.outages = 0
        self.last_cause: str | None = None
        self._drain = None if is_dry else make_drain()
        self._one = one
        self._outcome = outcome

    async def page(self, letters: Sequence[ListedDeadLetter]) -> list[Result]:
        """What became of each, up to the outage that ends the run."""
        results: list[Result] = []
        for letter in letters:
            if self.outages >= _OUTAGES_IN_A_ROW_MAX:
                break
            results.append(await self._result(letter))
        return results

    async def _result(self, letter: ListedDeadLetter) -> Result:
        if self._drain is None:
            self.done += 1
            return result_of(letter, f"would-be-{self._outcome}", Released(0, letter.events))
        try:
            drained = await self._one(self._drain, letter)
            self.outages = 0
        except (CannotDiscard, ProjectorError) as error:
            drained = Released(0, letter.events, str(error))
            self.outages = self.outages + 1 if isinstance(error, Unavailable) else 0
        except Exception as error:
            # One that nobody foresaw must not keep the others from their turn.
            _log.exception("an unknown error ended an attempt", dead_letter=letter.letter_id)
            drained = Released(0, letter.events, f"{type(error).__name__}: {error}")
            self.outages = 0
        self.last_cause = drained.cause
        if drained.cause:
            self.failed += 1
        else:
            self.done += 1
        return result_of(letter, "failed" if drained.cause else self._outcome, drained)
