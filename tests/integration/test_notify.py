"""Who is told of an event, and how often: once, whoever tries, however it ends."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Any
from uuid import UUID, uuid4

import pytest
import pytest_asyncio

from projector.errors import Unavailable
from projector.notification_settings import parse_smtp_url
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
from projector.notifications.ports import Claim, Wanted
from projector.notifications.postgres.claims import PostgresClaims
from projector.notifications.smtp.mailer import SmtpMailer
from shared.contract import events as e
from shared.contract.recorded_event import RecordedEvent
from shared.ops.retry import RetryPolicy
from tests.integration.view_world import Log, log, read_model
from tests.mail_server import MailServer, mail_server
from tests.unit.projector.histories import created, history, new_product_id, priced
from tests.unit.projector.records import UNKNOWN, broken

__all__ = ["log", "read_model"]
pytestmark = pytest.mark.servers
ANN, BOB, CLEO = "ann@x.test", "bob@x.test", "cleo@x.test"
PATIENCE = RetryPolicy("test-claims", 0.01, 0.05, budget_seconds=0.2)


@pytest_asyncio.fixture
async def mails() -> AsyncIterator[MailServer]:
    async with mail_server() as server:
        yield server


class Telling:
    """Notifiers over the same claims, as several processes would be."""

    def __init__(self, read_model: Any, log: Log, mails: MailServer) -> None:
        self.read_model = read_model
        self._log = log
        self._mails = mails

    def notifier(self, *recipients: str, doubt_seconds: float = 60.0, mailer: Any = None) -> Notifier:
        sender = mailer or SmtpMailer(
            parse_smtp_url(self._mails.url), "catalogue@shop.test", timeout_seconds=0.3, seconds_max=5.0
        )
        claims = PostgresClaims(self.read_model, doubt_seconds=doubt_seconds)
        return Notifier(
            claims, sender, self._log.reading, recipients or (ANN,), read_url="http://read", patience=PATIENCE
        )

    async def states(self) -> dict[str, str]:
        rows = await self.read_model.fetch("SELECT recipient, state FROM views.notification")
        return {row["recipient"]: row["state"] for row in rows}


@pytest.fixture
def telling(read_model: Any, log: Log, mails: MailServer) -> Telling:
    return Telling(read_model, log, mails)


def new() -> RecordedEvent:
    return history(new_product_id(), created("Shirt"))[0]


async def test_everybody_gets_one_mail_and_no_second_one(telling: Telling, mails: MailServer) -> None:
    event = new()
    assert await telling.notifier(ANN, BOB).notify(event) == Done(2)
    assert await telling.notifier(ANN, BOB).notify(event) == Done(0)
    assert mails.recipients() == [ANN, BOB]
    assert await telling.states() == {ANN: "sent", BOB: "sent"}


async def test_many_who_try_at_the_same_time_send_one_mail_each(telling: Telling, mails: MailServer) -> None:
    events = [new() for _ in range(5)]
    verdicts = await asyncio.gather(*(telling.notifier().notify(one) for one in events for _ in range(6)))
    assert len(mails.taken) == 5
    assert sum(verdict == Done(1) for verdict in verdicts) == 5
    # Who came too late while it was on its way looks again later.
    assert {type(verdict) for verdict in verdicts} <= {Done, TryAgain}


async def test_a_mail_tells_the_name_that_the_product_had_then(
    telling: Telling, log: Log, mails: MailServer
) -> None:
    events = history(
        new_product_id(), created("Old name"), priced("0.50"), e.ProductDetailsChanged(name="New name"),
        e.ProductPublished(), e.ProductArchived(),
    )  # fmt: skip
    await log.keep(events)
    for event in events:
        await telling.notifier().notify(event)
    assert mails.subjects() == [
        "New product: Old name", "Price dropped: Old name, now 0.50 EUR", "Archived: New name",
    ]  # fmt: skip


async def test_an_event_of_unknown_type_in_the_history_is_passed_over(
    telling: Telling, log: Log, mails: MailServer
) -> None:
    events = history(new_product_id(), created(), e.ProductPublished(), priced("0.50"))
    events[1] = broken(events[1], event_type=UNKNOWN)
    await log.keep(events)
    assert await telling.notifier().notify(events[2]) == Done(1)


async def test_nobody_is_told_of_what_is_not_worth_it(telling: Telling, mails: MailServer) -> None:
    events = history(new_product_id(), created(), priced("20.00"), e.ProductPublished(), e.ProductDeleted())
    for event in (*events[1:], broken(events[0], event_type=UNKNOWN)):
        assert await telling.notifier().notify(event) == Done(0)
    assert (mails.connections, await telling.states()) == (0, {})


@pytest.mark.parametrize(
    ("behaviour", "state", "verdict"),
    [
        ("220:421 not now", "failed", TryAgain),
        ("RCPT:450 later", "failed", TryAgain),
        ("end:451 later", "failed", TryAgain),
        ("DATA:drop", "failed", TryAgain),
        ("RCPT:550 nobody", "refused", "mail-refused"),
        ("end:554 spam", "refused", "mail-refused"),
        ("end:drop", "unknown", "mail-outcome-unknown"),
    ],
)
async def test_what_failed_is_tried_again_by_itself_only_where_it_was_certainly_not_sent(
    telling: Telling, mails: MailServer, behaviour: str, state: str, verdict: Any
) -> None:
    event = new()
    mails.then(behaviour)
    found = await telling.notifier().notify(event)
    assert (found.error_class if isinstance(found, Hopeless) else type(found)) == verdict
    assert await telling.states() == {ANN: state}
    before = len(mails.taken)
    again = await telling.notifier().notify(event)
    if state == "failed":
        assert again == Done(1)
        assert (len(mails.taken), await telling.states()) == (1, {ANN: "sent"})
    else:
        assert again == found
        assert (len(mails.taken), await telling.states()) == (before, {ANN: state})


async def test_by_hand_a_refused_mail_is_tried_again_and_an_unknown_one_only_when_asked_for(
    telling: Telling, mails: MailServer
) -> None:
    refused, unknown = new(), new()
    mails.then("RCPT:550 nobody", "end:drop")
    for event in (refused, unknown):
        await telling.notifier().notify(event)
    assert await telling.notifier().notify(refused, again=BY_HAND) == Done(1)
    still = await telling.notifier().notify(unknown, again=BY_HAND)
    assert isinstance(still, Hopeless)
    assert len(mails.taken) == 2
    assert await telling.notifier().notify(unknown, again=BY_HAND_AND_UNKNOWN) == Done(1)
    # The first is the one that nobody knew of; the one after it has the same Message-ID.
    first, other, second = (one.message["Message-ID"] for one in mails.taken)
    assert first == second != other


async def test_one_recipient_that_fails_costs_the_others_nothing(telling: Telling, mails: MailServer) -> None:
    event = new()
    mails.then("RCPT:550 nobody", "RCPT:450 later", "accept")
    verdict = await telling.notifier(ANN, BOB, CLEO).notify(event)
    # What may still work comes first; a person is asked once, at the end.
    assert verdict == TryAgain(f"{BOB}: 450 later")
    assert await telling.states() == {ANN: "refused", BOB: "failed", CLEO: "sent"}
    verdict = await telling.notifier(ANN, BOB, CLEO).notify(event)
    assert verdict == Hopeless("mail-refused", f"{ANN}: 550 nobody")
    assert mails.recipients() == [CLEO, BOB]


async def test_a_server_that_is_away_is_asked_once_for_all_recipients(
    telling: Telling, mails: MailServer
) -> None:
    event = new()
    mails.behave("220:421 not now")
    assert isinstance(await telling.notifier(ANN, BOB, CLEO).notify(event), TryAgain)
    assert (mails.connections, await telling.states()) == (1, {ANN: "failed"})
    mails.behave("accept")
    assert await telling.notifier(ANN, BOB, CLEO).notify(event) == Done(3)


async def test_when_time_is_up_the_rest_of_the_recipients_waits(telling: Telling, mails: MailServer) -> None:
    event = new()
    verdict = await telling.notifier(ANN, BOB).notify(event, is_time_up=lambda: True)
    assert (verdict, mails.recipients()) == (Unfinished(), [ANN])
    assert await telling.notifier(ANN, BOB).notify(event) == Done(1)
    assert mails.recipients() == [ANN, BOB]


class Dying:
    """A mailer whose process ends while it sends."""

    async def send(self, mail: Any) -> Any:
        raise asyncio.CancelledError


async def test_the_claim_of_one_who_died_is_left_alone_until_it_is_old_and_then_nobody_knows(
    telling: Telling, mails: MailServer
) -> None:
    event = new()
    with pytest.raises(asyncio.CancelledError):
        await telling.notifier(mailer=Dying()).notify(event)
    assert await telling.states() == {ANN: "claimed"}
    assert isinstance(await telling.notifier().notify(event), TryAgain)
    assert isinstance(await telling.notifier().notify(event, again=BY_HAND_AND_UNKNOWN), TryAgain)
    verdict = await telling.notifier(doubt_seconds=0.0).notify(event)
    assert isinstance(verdict, Hopeless)
    assert verdict.error_class == "mail-outcome-unknown"
    assert (mails.taken, await telling.states()) == ([], {ANN: "unknown"})


async def test_an_old_claim_may_be_sent_again_by_a_person_who_says_so(
    telling: Telling, mails: MailServer
) -> None:
    event = new()
    with pytest.raises(asyncio.CancelledError):
        await telling.notifier(mailer=Dying()).notify(event)
    verdict = await telling.notifier(doubt_seconds=0.0).notify(event, again=BY_HAND_AND_UNKNOWN)
    assert (verdict, len(mails.taken)) == (Done(1), 1)


class Defective:
    """A mailer with a defect."""

    async def send(self, mail: Any) -> Any:
        raise ZeroDivisionError("oops")


async def test_a_defect_while_sending_counts_as_perhaps_sent(telling: Telling, mails: MailServer) -> None:
    event = new()
    verdict = await telling.notifier(mailer=Defective()).notify(event)
    assert verdict == Hopeless("mail-outcome-unknown", f"{ANN}: ZeroDivisionError: oops")
    assert await telling.states() == {ANN: "unknown"}


async def test_what_was_given_up_is_not_sent_whoever_delivers_it_again(
    telling: Telling, mails: MailServer, read_model: Any
) -> None:
    event = new()
    mails.then("RCPT:450 later")
    await telling.notifier().notify(event)
    await PostgresClaims(read_model, doubt_seconds=60).discard(event.metadata.event_id)
    for again in (BY_HAND, BY_HAND_AND_UNKNOWN):
        assert await telling.notifier().notify(event, again=again) == Done(0)
    assert mails.taken == []


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


async def test_a_price_that_is_no_number_is_hopeless(telling: Telling, log: Log) -> None:
    events = history(new_product_id(), created(), priced("cheap"))
    await log.keep(events)
    verdict = await telling.notifier().notify(events[1])
    assert isinstance(verdict, Hopeless)
    assert verdict.error_class == "undecodable"


async def test_a_history_that_does_not_fold_is_hopeless(telling: Telling, log: Log) -> None:
    events = history(new_product_id(), e.ProductPublished(), e.ProductArchived())
    await log.keep(events)
    verdict = await telling.notifier().notify(events[1])
    assert isinstance(verdict, Hopeless)
    assert verdict.error_class == "history-does-not-fold"


async def test_a_replica_that_is_behind_is_waited_for_and_what_never_happened_is_told_to_nobody(
    telling: Telling, log: Log, mails: MailServer
) -> None:
    product_id = new_product_id()
    events = history(product_id, created(), priced("0.50"), first_position=1)
    with pytest.raises(Unavailable, match="replica is at 0, Kafka at 2"):
        await telling.notifier().notify(events[1])
    await log.keep(history(product_id, created(), first_position=2))
    verdict = await telling.notifier().notify(events[1])
    assert verdict == Lacking(f"the log lacks version 2 of product {product_id}")
    assert mails.taken == []


async def test_a_claim_whose_answer_was_lost_is_still_ours_and_nobody_elses(read_model: Any) -> None:
    claims = PostgresClaims(read_model, doubt_seconds=60)
    wanted = Wanted(uuid4(), ANN, "product-created", new_product_id())
    mine, other = uuid4(), uuid4()
    assert await claims.claim(wanted, (), mine) == Claim(True, "claimed")
    assert await claims.claim(wanted, (), mine) == Claim(True, "claimed")
    assert await claims.claim(wanted, ("failed",), other) == Claim(False, "claimed")
    await claims.settle(wanted, other, "failed", "not mine to say")
    assert await claims.claim(wanted, ("failed",), other) == Claim(False, "claimed")
    await claims.settle(wanted, mine, "failed", "why")
    assert await claims.claim(wanted, (), other) == Claim(False, "failed", "why")
    assert await claims.claim(wanted, ("failed",), other) == Claim(True, "claimed")


class Unsettled:
    """Claims in a database that goes away right after the mail was sent, for as many calls."""

    def __init__(self, claims: PostgresClaims, failures: int) -> None:
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


@pytest.mark.parametrize(("failures", "states"), [(2, {ANN: "sent"}), (1_000, {ANN: "claimed"})])
async def test_a_mail_that_was_sent_is_remembered_with_patience(
    telling: Telling, mails: MailServer, failures: int, states: dict[str, str]
) -> None:
    event, notifier = new(), telling.notifier()
    notifier._claims = Unsettled(PostgresClaims(telling.read_model, doubt_seconds=60), failures)
    outcome: Sequence[Any] = await asyncio.gather(notifier.notify(event), return_exceptions=True)
    assert isinstance(outcome[0], Done if failures == 2 else Unavailable)
    assert await telling.states() == states
    await telling.notifier().notify(event)
    assert len(mails.taken) == 1
