"""Operators' actions on dead letters, by command line or over HTTP: list, show, retry, discard, park."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, NamedTuple

from projector.applying.dead_letters import Action
from projector.audit.ports import AuditLog
from projector.errors import Unavailable, UnknownPartition, check_projection
from projector.parking.answers import ListedDeadLetter, Result, shown
from projector.parking.attempts import OUTAGES_IN_A_ROW_MAX, Attempts
from projector.parking.ports import Narrowed, StoredDeadLetters
from projector.parking.retry import Released, Retrying
from projector.parking.selection import check_dead_letter, pages

DEAD_LETTERS_PER_ANSWER_MAX = 1000
"""How many `list` and `show` give at most, of each kind."""


class Listed(NamedTuple):
    """The oldest dead letters, or their records, and how many match in all."""

    shown: list[Any]
    total: int


class Summary(NamedTuple):
    """The outcome of a retry or discard.

    `parked_now`: how many dead letters match afterwards (they failed, were not tried, or were parked
    meanwhile); None: not known. `stopped_by`: the outage that ended the run early.
    """

    done: int
    failed: int
    parked_now: int | None
    stopped_by: str | None = None


Tell = Callable[[Sequence[Result]], None]
"""Gets the results of one page."""


class DeadLetters:
    """`retrying` has every projection, by name; `topic` is the topic that they read."""

    def __init__(
        self,
        dead_letters: StoredDeadLetters,
        audit: AuditLog,
        retrying: Mapping[str, Callable[[], Retrying]],
        topic: str,
        partition_count: int,
    ) -> None:
        self._dead_letters = dead_letters
        self._audit = audit
        self._retrying = retrying
        self._topic = topic
        self._partition_count = partition_count

    async def listed(self, projection: str | None, narrowed: Narrowed) -> Listed:
        """`ListedDeadLetter`s, oldest first, at most `DEAD_LETTERS_PER_ANSWER_MAX` of each kind.

        Raises `Unavailable`, `UnknownProjection`, `UnknownDeadLetter`.
        """
        if projection is not None:
            self._check(projection)
        await check_dead_letter(self._dead_letters, projection, narrowed)
        limit = DEAD_LETTERS_PER_ANSWER_MAX
        found = await self._dead_letters.products(projection, narrowed, limit)
        found += await self._dead_letters.alone(projection, narrowed, limit)
        total = len(found)
        if total >= limit:
            total = (await self._dead_letters.count(projection, narrowed)).dead_letters
        return Listed(
            sorted(found, key=lambda dead_letter: (dead_letter.parked_at, dead_letter.dead_letter_id)), total
        )

    async def show(self, projection: str | None, narrowed: Narrowed) -> Listed:
        """The parked records, of any class, as values for a JSON document.

        Raises `Unavailable`, `UnknownProjection`, `UnknownDeadLetter`.
        """
        if projection is not None:
            self._check(projection)
        rows, total = await self._dead_letters.events(projection, narrowed, DEAD_LETTERS_PER_ANSWER_MAX)
        if narrowed.dead_letter_id is not None and not rows:
            await check_dead_letter(self._dead_letters, projection, narrowed)
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
        """Try each again. One that fails again stays parked; the run goes on with the next."""

        async def one(retrying: Retrying, dead_letter: ListedDeadLetter) -> Released:
            if dead_letter.product_id is None:
                return await retrying.retry_single(
                    dead_letter.dead_letter_id, action, resend_unknown=resend_unknown
                )
            return await retrying.retry(dead_letter.product_id, action, from_log=from_log)

        return await self._each(projection, narrowed, one, "retried", action, tell, is_dry)

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
        """Give them up. `first_only`: of each product only the event that failed."""

        async def one(retrying: Retrying, dead_letter: ListedDeadLetter) -> Released:
            if dead_letter.product_id is None:
                return await retrying.discard_single(dead_letter.dead_letter_id, action)
            return await retrying.discard(dead_letter.product_id, action, events=1 if first_only else None)

        return await self._each(projection, narrowed, one, "discarded", action, tell, is_dry)

    async def park(self, projection: str, partition: int, offset: int, action: Action) -> None:
        """Order the projection to park one record that stops it; the projection notices by itself.

        Raises `UnknownPartition`.
        """
        self._check(projection)
        if not 0 <= partition < self._partition_count:
            raise UnknownPartition(
                f"no such partition: {partition}; {self._topic} has 0 to {self._partition_count - 1}"
            )
        if offset < 0:
            raise UnknownPartition(f"no such record: offset {offset}")
        await self._dead_letters.order_parking(projection, self._topic, partition, offset, action)

    async def _each(
        self,
        projection: str,
        narrowed: Narrowed,
        one: Callable[[Retrying, ListedDeadLetter], Awaitable[Released]],
        outcome: str,
        action: Action,
        tell: Tell,
        is_dry: bool,
    ) -> Summary:
        """Raises `UnknownProjection`, `UnknownDeadLetter`; `Unavailable` if nothing was done before the
        outage.
        """
        self._check(projection)
        await check_dead_letter(self._dead_letters, projection, narrowed)
        until = (await self._dead_letters.count(projection, narrowed)).counted_at
        retrying = None if is_dry else self._retrying[projection]()
        run = Attempts(retrying, one, outcome, self._audit, action)
        stopped_by: str | None = None
        try:
            async for page in pages(self._dead_letters, projection, narrowed, until):
                tell(await run.page(page))
                if run.outages >= OUTAGES_IN_A_ROW_MAX:
                    stopped_by = run.last_cause
                    break
            parked_now = (await self._dead_letters.count(projection, narrowed)).dead_letters
        except Unavailable as error:
            if not run.done and not run.failed:
                raise
            return Summary(run.done, run.failed, None, str(error))
        return Summary(run.done, run.failed, parked_now, stopped_by)

    def _check(self, projection: str) -> None:
        check_projection(projection, self._retrying)
