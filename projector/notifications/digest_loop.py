"""Sends digests that are due, parks digests that failed for good, and deletes old ones.

It runs in every process with notifications; the claims keep two processes from sending the same digest.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple
from uuid import uuid4

import msgspec

from projector.applying.dead_letters import DeadLetter, OpenParking, SingleDeadLetter
from projector.applying.parking_breaker import ParkingBreaker
from projector.applying.records import ErrorClass, MadeRecord
from projector.control.ports import Control, PartitionLag
from projector.control.trouble import Trouble
from projector.notifications.digest_ports import NOTHING_GATHERED, Digests, Open, Undelivered
from projector.notifications.send_digest import DigestSender
from shared.ops.concurrency.waits import until_turn
from shared.ops.measuring import unknown
from shared.ops.metrics.mails import WAITING, WAITING_SECONDS

DIGEST_DEAD_LETTERS = "digests"
"""In place of a topic, for dead letters that are digests. Their partition is -1, which no record has."""
DIGEST_ID_HEADER = "x-digest-id"
_PARTITION_OF_NONE = -1
_DEAD_LETTERS_PER_TURN_MAX = 100
_NOT_ASKED = Open(waits=True, is_due=True)
_CLASSES: dict[str, ErrorClass] = {"refused": "mail-refused", "unknown": "mail-outcome-unknown"}


class LoopTools(NamedTuple):
    """`tell_parked` logs and counts a dead letter."""

    digests: Digests
    sender: DigestSender
    open_parking: OpenParking
    breaker: ParkingBreaker
    tell_parked: Callable[[DeadLetter], None]


class DigestLoop:
    """A `Background`. Looks for due digests every `look_seconds`, sends `at_a_time_max` of them at a time,
    and deletes old ones every `purge_seconds`.
    """

    topic = "digests"

    def __init__(
        self,
        name: str,
        tools: LoopTools,
        recipients: Sequence[str],
        *,
        at_a_time_max: int,
        days_kept: int,
        look_seconds: float,
        purge_seconds: float,
    ) -> None:
        self.name = name
        self._tools = tools
        self._recipients = recipients
        self._at_a_time_max = at_a_time_max
        self._days_kept = days_kept
        self._look_seconds = look_seconds
        self._purge_seconds = purge_seconds
        self._claim_id = uuid4()
        self._is_paused = False
        self._trouble = Trouble(name, "digests are not sent")
        self._purged_at: float | None = None

    def obey(self, control: Control) -> None:
        """A paused projection sends no digests."""
        self._is_paused = control.is_paused

    def lags(self) -> Sequence[PartitionLag]:
        """None: the metric `notifications_waiting` counts the events that wait."""
        return ()

    async def check(self) -> None:
        """For readiness. Raises `Unavailable` with the reason."""
        self._trouble.check()

    async def run(self) -> None:
        """Until cancelled, and then to the end of the mails in hand: else their outcome would be unknown."""
        while True:
            turn = asyncio.create_task(self._turn())
            try:
                is_more_due = await asyncio.shield(turn)
            except asyncio.CancelledError:
                await asyncio.wait([turn])
                raise
            if not is_more_due:
                await asyncio.sleep(until_turn(self._look_seconds))

    async def _turn(self) -> bool:
        """Whether more may be due. Raises no error. What waits is counted also while nothing can be sent.

        Mostly nothing is due, or nothing even waits: then a turn is two statements, or one.
        """
        found, is_more_due, failure = _NOT_ASKED, False, None
        try:
            found = await self._tools.digests.open()
            if found.is_due:
                is_more_due = await self._work()
            await self._purge()
        except Exception as error:
            failure = error
        uncounted = await self._count(found)
        self._trouble.tell(failure or uncounted)
        return is_more_due

    async def _work(self) -> bool:
        is_more_due = not self._is_paused and await self._send_due()
        return await self._park_undelivered() or is_more_due

    async def _send_due(self) -> bool:
        digests = await self._tools.digests.take(self._recipients, self._claim_id, self._at_a_time_max)
        # After a lost answer, the same claim asks again in the next turn.
        claim_id, self._claim_id = self._claim_id, uuid4()
        sending = (self._tools.sender.send(one, claim_id) for one in digests)
        outcomes = await asyncio.gather(*sending, return_exceptions=True)
        for outcome in outcomes:
            if outcome is not None:
                raise outcome
        return len(digests) == self._at_a_time_max

    async def _park_undelivered(self) -> bool:
        """Whether there may be more. Raises `ParkingIsFull`; then they are found again next time."""
        undelivered = await self._tools.digests.undelivered(_DEAD_LETTERS_PER_TURN_MAX)
        if not undelivered:
            return False
        breaker = self._tools.breaker
        breaker.check(len(undelivered))
        dead_letters = [_dead_letter(one) for one in undelivered]
        async with self._tools.open_parking() as parking:
            await parking.park(dead_letters)
        breaker.parked(len(dead_letters))
        # After a crash before this line they are parked again, which changes nothing.
        await self._tools.digests.mark_parked([one.digest_id for one in undelivered])
        for dead_letter in dead_letters:
            self._tools.tell_parked(dead_letter)
        return len(undelivered) == _DEAD_LETTERS_PER_TURN_MAX

    async def _count(self, found: Open) -> Exception | None:
        """Why it could not be counted; then the gauges are unknown."""
        try:
            gathered = (
                await self._tools.digests.gathered(self._recipients) if found.waits else NOTHING_GATHERED
            )
        except Exception as error:
            unknown((WAITING, WAITING_SECONDS))
            return error
        WAITING.set(gathered.events)
        WAITING_SECONDS.set(gathered.oldest_seconds)
        return None

    async def _purge(self) -> None:
        now = time.monotonic()
        if self._purged_at is not None and now - self._purged_at < self._purge_seconds:
            return
        while await self._tools.digests.purge_one(self._days_kept):
            pass
        self._purged_at = now


def _dead_letter(digest: Undelivered) -> SingleDeadLetter:
    """A digest as a dead letter; `show` prints its contents."""
    digest_id = str(digest.digest_id)
    value = {"digest_id": digest_id, "recipient": digest.recipient, "events": digest.events}
    record = MadeRecord(
        DIGEST_DEAD_LETTERS,
        _PARTITION_OF_NONE,
        digest.digest_number,
        int(digest.made_at.timestamp() * 1000),
        None,
        msgspec.json.encode(value),
        ((DIGEST_ID_HEADER, digest_id.encode()),),
    )
    error_class = _CLASSES.get(digest.state, "mail-not-sent")
    return SingleDeadLetter(record, None, error_class, f"{digest.recipient}: {digest.cause}")
