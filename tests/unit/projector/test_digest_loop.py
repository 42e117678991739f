"""The loop that sends digests, over doubles in memory: a lost answer, a stop in the middle of a mail."""

import asyncio
import math
from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from prometheus_client import REGISTRY

from projector.applying.dead_letters import DeadLetter, SingleDeadLetter
from projector.applying.parking_breaker import ParkingBreaker
from projector.errors import Unavailable
from projector.notifications.digest_loop import DigestLoop, LoopTools
from projector.notifications.digest_ports import Digest, Gathered, Open, Undelivered

DIGEST = Digest(UUID(int=1), "ann@x.test", 1, datetime(2026, 1, 2, tzinfo=UTC))


class DigestsInMemory:
    """One digest is due, once; the first answer may be lost although the digest was claimed."""

    def __init__(self, *, loses_an_answer: bool = False) -> None:
        self.claimed_by: UUID | None = None
        self.looks = 0
        self._loses_an_answer = loses_an_answer

    async def open(self) -> Open:
        return Open(waits=True, is_due=True)

    async def take(self, recipients: Sequence[str], claim_id: UUID, digests_max: int) -> Sequence[Digest]:
        self.looks += 1
        is_new = self.claimed_by is None
        if is_new:
            self.claimed_by = claim_id
        if self._loses_an_answer:
            self._loses_an_answer = False
            raise Unavailable("the connection is gone")
        return [DIGEST] if self.claimed_by == claim_id else []

    async def undelivered(self, digests_max: int) -> Sequence[Undelivered]:
        return []

    async def mark_parked(self, digest_ids: Collection[UUID]) -> None: ...

    async def gathered(self, recipients: Sequence[str]) -> Gathered:
        return Gathered(0, 0.0)

    async def purge_one(self, days: int) -> bool:
        return False


class SlowSender:
    """A mail server that has the mail and does not answer until it may."""

    def __init__(self) -> None:
        self.begun, self.may_end, self.sent = asyncio.Event(), asyncio.Event(), list[UUID]()

    async def send(self, digest: Digest, claim_id: UUID) -> None:
        self.begun.set()
        await self.may_end.wait()
        self.sent.append(digest.digest_id)


@asynccontextmanager
async def _no_parking() -> AsyncIterator[Any]:
    yield None


def loop_over(digests: Any, sender: Any, open_parking: Any = _no_parking) -> DigestLoop:
    tools = LoopTools(
        digests, sender, open_parking, ParkingBreaker(products_max=1_000), lambda dead_letter: None
    )
    return DigestLoop(
        "notifications",
        tools,
        ["ann@x.test"],
        at_a_time_max=4,
        days_kept=90,
        look_seconds=0.001,
        purge_seconds=600.0,
    )


async def test_a_loop_that_is_stopped_sees_the_mail_in_hand_to_its_end() -> None:
    sender = SlowSender()
    running = asyncio.create_task(loop_over(DigestsInMemory(), sender).run())
    await sender.begun.wait()
    running.cancel()
    for _ in range(10):
        await asyncio.sleep(0)
    assert not running.done()
    sender.may_end.set()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert sender.sent == [DIGEST.digest_id]


async def test_a_digest_whose_claim_had_no_answer_is_sent_by_the_one_who_claimed_it() -> None:
    sender, digests = SlowSender(), DigestsInMemory(loses_an_answer=True)
    sender.may_end.set()
    running = asyncio.create_task(loop_over(digests, sender).run())
    await sender.begun.wait()
    running.cancel()
    await asyncio.wait([running])
    assert sender.sent == [DIGEST.digest_id]
    assert digests.looks == 2


async def test_a_loop_in_trouble_is_not_ready_and_says_why_until_it_works_again() -> None:
    sender, digests = SlowSender(), DigestsInMemory(loses_an_answer=True)
    sender.may_end.set()
    loop = loop_over(digests, sender)
    await loop._turn()
    with pytest.raises(Unavailable, match="the connection is gone"):
        await loop.check()
    await loop._turn()
    await loop.check()


class Unsendable(DigestsInMemory):
    """What waits can be counted, until `is_away`; nothing can be sent."""

    is_away = False

    async def take(self, recipients: Sequence[str], claim_id: UUID, digests_max: int) -> Sequence[Digest]:
        raise ValueError("a bug")

    async def gathered(self, recipients: Sequence[str]) -> Gathered:
        if self.is_away:
            raise Unavailable("the read model is away")
        return Gathered(3, 700.0)


async def test_what_waits_is_counted_while_nothing_can_be_sent_and_unknown_while_it_cannot_be_counted() -> (
    None
):
    digests = Unsendable()
    loop = loop_over(digests, SlowSender())
    names = "notifications_waiting", "notifications_waiting_oldest_seconds"
    await loop._turn()
    assert [REGISTRY.get_sample_value(name) for name in names] == [3.0, 700.0]
    digests.is_away = True
    await loop._turn()
    assert all(math.isnan(REGISTRY.get_sample_value(name) or 0.0) for name in names)


class NothingDue(DigestsInMemory):
    """Events may wait. Whatever is asked beyond what the answer allows is a statement too many."""

    waits = False

    async def open(self) -> Open:
        return Open(self.waits, is_due=False)

    async def take(self, recipients: Sequence[str], claim_id: UUID, digests_max: int) -> Sequence[Digest]:
        raise AssertionError("nothing can be due")

    async def undelivered(self, digests_max: int) -> Sequence[Undelivered]:
        raise AssertionError("nothing can be undelivered")

    async def gathered(self, recipients: Sequence[str]) -> Gathered:
        assert self.waits, "there is nothing to count"
        return Gathered(3, 20.0)


async def test_what_is_not_due_is_only_counted_and_without_what_waits_not_even_that() -> None:
    digests, names = NothingDue(), ("notifications_waiting", "notifications_waiting_oldest_seconds")
    loop, seen = loop_over(digests, SlowSender()), []
    for waits in (True, False):
        digests.waits = waits
        assert not await loop._turn()
        await loop.check()
        seen.append([REGISTRY.get_sample_value(name) for name in names])
    assert seen == [[3.0, 20.0], [0.0, 0.0]]


class ManyUndelivered(DigestsInMemory):
    """So many that no turn hands all of them to a person."""

    def __init__(self, count: int) -> None:
        super().__init__()
        self.claimed_by = UUID(int=0)  # nothing is due
        self.left = [
            Undelivered(UUID(int=number), number, "ann@x.test", "refused", "no", 1, DIGEST.made_at, 3)
            for number in range(1, count + 1)
        ]

    async def undelivered(self, digests_max: int) -> Sequence[Undelivered]:
        return self.left[:digests_max]

    async def mark_parked(self, digest_ids: Collection[UUID]) -> None:
        self.left = [one for one in self.left if one.digest_id not in digest_ids]


class ParkingInMemory:
    """Keeps dead letters."""

    def __init__(self) -> None:
        self.dead_letters: list[DeadLetter] = []

    async def park(self, dead_letters: Sequence[DeadLetter]) -> None:
        self.dead_letters += dead_letters


async def test_all_digests_that_were_not_delivered_become_dead_letters_without_a_pause_between() -> None:
    digests, parking = ManyUndelivered(250), ParkingInMemory()

    @asynccontextmanager
    async def open_parking() -> AsyncIterator[ParkingInMemory]:
        yield parking

    loop = loop_over(digests, SlowSender(), open_parking)
    assert [await loop._turn() for _ in range(3)] == [True, True, False]
    assert [dead_letter.record.offset for dead_letter in parking.dead_letters] == list(range(1, 251))
    assert all(isinstance(dead_letter, SingleDeadLetter) for dead_letter in parking.dead_letters)
