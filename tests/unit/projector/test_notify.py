"""Who is told of an event, and how often: once, whoever tries, however it ends."""

import asyncio
from collections.abc import Sequence
from typing import Any
from uuid import UUID

import pytest

from projector.errors import Unavailable
from projector.notifications.notify import (
    BY_HAND,
    BY_HAND_AND_UNKNOWN,
    Done,
    Hopeless,
    Lacking,
    Notifier,
    TryAgain,
    Unfinished,
)
from projector.notifications.ports import Delivery, Wanted
from shared.contract import events as e
from shared.contract.recorded_event import RecordedEvent
from shared.ops.retry import RetryPolicy
from tests.in_memory.mailer import TAKEN, InMemoryMailer
from tests.in_memory.mails import InMemoryClaims, InMemoryMails
from tests.unit.projector.histories import created, history, new_product_id, priced
from tests.unit.projector.in_memory_stores import WrittenInMemoryLog
from tests.unit.projector.records import UNKNOWN, broken

ANN, BOB, CLEO = "ann@x.test", "bob@x.test", "cleo@x.test"
PATIENT = RetryPolicy("test-claims", 0, 0, budget_seconds=600)
IMPATIENT = RetryPolicy("test-claims", 0, 0, budget_seconds=0)
AWAY, LATER = Delivery("unreachable", "421 not now"), Delivery("not-sent", "450 later")
NOBODY, SILENT = Delivery("refused", "550 nobody"), Delivery("unknown", "the connection was lost")


class Telling:
    """Notifiers over the same claims, as several processes would be."""

    def __init__(self) -> None:
        self.mails = InMemoryMails()
        self.mailer = InMemoryMailer()
        self.log = WrittenInMemoryLog()

    def claims(self, unknown_after_seconds: float = 60.0) -> InMemoryClaims:
        return InMemoryClaims(self.mails, unknown_after_seconds=unknown_after_seconds)

    def notifier(
        self,
        *recipients: str,
        unknown_after_seconds: float = 60.0,
        mailer: Any = None,
        patience: RetryPolicy = PATIENT,
    ) -> Notifier:
        return Notifier(
            self.claims(unknown_after_seconds), mailer or self.mailer, self.log.reading, recipients or (ANN,),
            read_url="http://read", patience=patience,
        )  # fmt: skip

    def states(self) -> dict[str, str]:
        return {recipient: mail.state for (_, recipient), mail in self.mails.single.items()}

    def recipients(self) -> list[str]:
        return [one.recipient for one in self.mailer.taken]


@pytest.fixture
def telling() -> Telling:
    return Telling()


def new() -> RecordedEvent:
    return history(new_product_id(), created("Shirt"))[0]


async def test_everybody_gets_one_mail_and_no_second_one(telling: Telling) -> None:
    event = new()
    assert await telling.notifier(ANN, BOB).notify(event) == Done(2)
    assert await telling.notifier(ANN, BOB).notify(event) == Done(0)
    assert telling.recipients() == [ANN, BOB]
    assert telling.states() == {ANN: "sent", BOB: "sent"}


async def test_many_who_try_at_the_same_time_send_one_mail_each(telling: Telling) -> None:
    events = [new() for _ in range(5)]
    verdicts = await asyncio.gather(*(telling.notifier().notify(one) for one in events for _ in range(6)))
    assert len(telling.mailer.taken) == 5
    assert sum(verdict == Done(1) for verdict in verdicts) == 5
    # Who came too late while it was on its way looks again later.
    assert {type(verdict) for verdict in verdicts} <= {Done, TryAgain}


async def test_a_mail_tells_the_name_that_the_product_had_then(telling: Telling) -> None:
    events = history(
        new_product_id(), created("Old name"), priced("0.50"), e.ProductDetailsChanged(name="New name"),
        e.ProductPublished(), e.ProductArchived(),
    )  # fmt: skip
    await telling.log.keep(events)
    for event in events:
        await telling.notifier().notify(event)
    assert [one.subject for one in telling.mailer.taken] == [
        "New product: Old name", "Price dropped: Old name, now 0.50 EUR", "Archived: New name",
    ]  # fmt: skip


async def test_an_event_of_unknown_type_in_the_history_is_passed_over(telling: Telling) -> None:
    events = history(new_product_id(), created(), e.ProductPublished(), priced("0.50"))
    events[1] = broken(events[1], event_type=UNKNOWN)
    await telling.log.keep(events)
    assert await telling.notifier().notify(events[2]) == Done(1)


async def test_nobody_is_told_of_what_is_not_worth_it(telling: Telling) -> None:
    events = history(new_product_id(), created(), priced("20.00"), e.ProductPublished(), e.ProductDeleted())
    for event in (*events[1:], broken(events[0], event_type=UNKNOWN)):
        assert await telling.notifier().notify(event) == Done(0)
    assert (telling.mailer.attempts, telling.states()) == (0, {})


@pytest.mark.parametrize(
    ("delivery", "state", "verdict"),
    [
        (AWAY, "failed", TryAgain),
        (LATER, "failed", TryAgain),
        (NOBODY, "refused", "mail-refused"),
        (SILENT, "unknown", "mail-outcome-unknown"),
    ],
)
async def test_what_failed_is_tried_again_by_itself_only_where_it_was_certainly_not_sent(
    telling: Telling, delivery: Delivery, state: str, verdict: Any
) -> None:
    event = new()
    telling.mailer.then(delivery)
    found = await telling.notifier().notify(event)
    assert (found.error_class if isinstance(found, Hopeless) else type(found)) == verdict
    assert telling.states() == {ANN: state}
    before = len(telling.mailer.taken)
    again = await telling.notifier().notify(event)
    if state == "failed":
        assert again == Done(1)
        assert (len(telling.mailer.taken), telling.states()) == (1, {ANN: "sent"})
    else:
        assert again == found
        assert (len(telling.mailer.taken), telling.states()) == (before, {ANN: state})


async def test_by_hand_a_refused_mail_is_tried_again_and_an_unknown_one_only_when_asked_for(
    telling: Telling,
) -> None:
    refused, unknown = new(), new()
    telling.mailer.then(NOBODY, SILENT)
    for event in (refused, unknown):
        await telling.notifier().notify(event)
    assert await telling.notifier().notify(refused, again=BY_HAND) == Done(1)
    still = await telling.notifier().notify(unknown, again=BY_HAND)
    assert isinstance(still, Hopeless)
    assert len(telling.mailer.taken) == 2
    assert await telling.notifier().notify(unknown, again=BY_HAND_AND_UNKNOWN) == Done(1)
    # The first is the one that nobody knew of; the one after it will have the same Message-ID.
    first, other, second = telling.mailer.taken
    assert first == second != other


async def test_one_recipient_that_fails_costs_the_others_nothing(telling: Telling) -> None:
    event = new()
    telling.mailer.then(NOBODY, LATER, TAKEN)
    verdict = await telling.notifier(ANN, BOB, CLEO).notify(event)
    # What may still work comes first; a person is asked once, at the end.
    assert verdict == TryAgain(f"{BOB}: 450 later")
    assert telling.states() == {ANN: "refused", BOB: "failed", CLEO: "sent"}
    verdict = await telling.notifier(ANN, BOB, CLEO).notify(event)
    assert verdict == Hopeless("mail-refused", f"{ANN}: 550 nobody")
    assert telling.recipients() == [CLEO, BOB]


async def test_a_server_that_is_away_is_asked_once_for_all_recipients(telling: Telling) -> None:
    event = new()
    telling.mailer.behave(AWAY)
    assert isinstance(await telling.notifier(ANN, BOB, CLEO).notify(event), TryAgain)
    assert (telling.mailer.attempts, telling.states()) == (1, {ANN: "failed"})
    telling.mailer.behave(TAKEN)
    assert await telling.notifier(ANN, BOB, CLEO).notify(event) == Done(3)


async def test_when_time_is_up_the_rest_of_the_recipients_waits(telling: Telling) -> None:
    event = new()
    verdict = await telling.notifier(ANN, BOB).notify(event, is_time_up=lambda: True)
    assert (verdict, telling.recipients()) == (Unfinished(), [ANN])
    assert await telling.notifier(ANN, BOB).notify(event) == Done(1)
    assert telling.recipients() == [ANN, BOB]


class Dying:
    """A mailer whose process ends while it sends."""

    async def send(self, mail: Any) -> Any:
        raise asyncio.CancelledError


async def test_the_claim_of_one_who_died_is_left_alone_until_it_is_old_and_then_nobody_knows(
    telling: Telling,
) -> None:
    event = new()
    with pytest.raises(asyncio.CancelledError):
        await telling.notifier(mailer=Dying()).notify(event)
    assert telling.states() == {ANN: "claimed"}
    assert isinstance(await telling.notifier().notify(event), TryAgain)
    assert isinstance(await telling.notifier().notify(event, again=BY_HAND_AND_UNKNOWN), TryAgain)
    verdict = await telling.notifier(unknown_after_seconds=0.0).notify(event)
    assert isinstance(verdict, Hopeless)
    assert verdict.error_class == "mail-outcome-unknown"
    assert (telling.mailer.taken, telling.states()) == ([], {ANN: "unknown"})


async def test_an_old_claim_may_be_sent_again_by_a_person_who_says_so(telling: Telling) -> None:
    event = new()
    with pytest.raises(asyncio.CancelledError):
        await telling.notifier(mailer=Dying()).notify(event)
    verdict = await telling.notifier(unknown_after_seconds=0.0).notify(event, again=BY_HAND_AND_UNKNOWN)
    assert (verdict, len(telling.mailer.taken)) == (Done(1), 1)


class Defective:
    """A mailer with a defect."""

    async def send(self, mail: Any) -> Any:
        raise ZeroDivisionError("oops")


async def test_a_defect_while_sending_counts_as_perhaps_sent(telling: Telling) -> None:
    event = new()
    verdict = await telling.notifier(mailer=Defective()).notify(event)
    assert verdict == Hopeless("mail-outcome-unknown", f"{ANN}: ZeroDivisionError: oops")
    assert telling.states() == {ANN: "unknown"}


async def test_what_was_given_up_is_not_sent_whoever_delivers_it_again(telling: Telling) -> None:
    event = new()
    telling.mailer.then(LATER)
    await telling.notifier().notify(event)
    await telling.claims().discard(event.metadata.event_id)
    for again in (BY_HAND, BY_HAND_AND_UNKNOWN):
        assert await telling.notifier().notify(event, again=again) == Done(0)
    assert telling.mailer.taken == []


@pytest.mark.parametrize(
    ("changed", "error_class"),
    [({"data": b"{"}, "undecodable"), ({"schema_version": 99}, "unknown-schema-version")],
)
async def test_an_event_that_cannot_be_read_is_hopeless(
    telling: Telling, changed: dict[str, Any], error_class: str
) -> None:
    verdict = await telling.notifier().notify(broken(new(), **changed))
    assert isinstance(verdict, Hopeless)
    assert verdict.error_class == error_class


async def test_a_price_that_is_no_number_is_hopeless(telling: Telling) -> None:
    events = history(new_product_id(), created(), priced("cheap"))
    await telling.log.keep(events)
    verdict = await telling.notifier().notify(events[1])
    assert isinstance(verdict, Hopeless)
    assert verdict.error_class == "undecodable"


async def test_a_history_that_does_not_fold_is_hopeless(telling: Telling) -> None:
    events = history(new_product_id(), e.ProductPublished(), e.ProductArchived())
    await telling.log.keep(events)
    verdict = await telling.notifier().notify(events[1])
    assert isinstance(verdict, Hopeless)
    assert verdict.error_class == "history-does-not-fold"


async def test_a_replica_that_is_behind_is_waited_for_and_what_never_happened_is_told_to_nobody(
    telling: Telling,
) -> None:
    product_id = new_product_id()
    events = history(product_id, created(), priced("0.50"), first_position=1)
    with pytest.raises(Unavailable, match="replica is at 0, Kafka at 2"):
        await telling.notifier().notify(events[1])
    await telling.log.keep(history(product_id, created(), first_position=2))
    verdict = await telling.notifier().notify(events[1])
    assert verdict == Lacking(f"the log lacks version 2 of product {product_id}")
    assert telling.mailer.taken == []


class Unsettled:
    """Claims in a database that goes away right after the mail was sent, for as many calls."""

    def __init__(self, claims: InMemoryClaims, failures: int) -> None:
        self.claim = claims.claim
        self._claims = claims
        self._failures = failures

    async def settle(self, wanted: Wanted, claim_id: UUID, state: Any, cause: str | None) -> None:
        self._failures -= 1
        if self._failures >= 0:
            raise Unavailable("away")
        await self._claims.settle(wanted, claim_id, state, cause)

    async def discard(self, event_id: UUID) -> None:
        await self._claims.discard(event_id)


@pytest.mark.parametrize(
    ("failures", "patience", "states"),
    [(2, PATIENT, {ANN: "sent"}), (1_000, IMPATIENT, {ANN: "claimed"})],
)
async def test_a_mail_that_was_sent_is_remembered_with_patience(
    telling: Telling, failures: int, patience: RetryPolicy, states: dict[str, str]
) -> None:
    event, notifier = new(), telling.notifier(patience=patience)
    notifier._claims = Unsettled(telling.claims(), failures)
    outcome: Sequence[Any] = await asyncio.gather(notifier.notify(event), return_exceptions=True)
    assert isinstance(outcome[0], Done if failures == 2 else Unavailable)
    assert telling.states() == states
    await telling.notifier().notify(event)
    assert len(telling.mailer.taken) == 1
