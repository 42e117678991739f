"""Who is told of an event, and how often: once, whoever tries, however it ends."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from projector.notification_settings import parse_smtp_url
from projector.notifications.notify import (
    BY_HAND,
    BY_HAND_AND_UNKNOWN,
    Done,
    Hopeless,
    Notifier,
    TryAgain,
)
from projector.notifications.postgres.claims import PostgresClaims
from projector.notifications.smtp.mailer import SmtpMailer
from shared.contract import events as e
from shared.contract.recorded_event import RecordedEvent
from shared.ops.retry import RetryPolicy
from tests.integration.view_world import Log, log, read_model
from tests.mail_server import MailServer, mail_server
from tests.unit.projector.histories import created, history, new_product_id, priced

__all__ = ["log", "read_model"]
pytestmark = pytest.mark.servers
ANN, BOB = "ann@x.test", "bob@x.test"
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

    def notifier(self, *recipients: str) -> Notifier:
        mailer = SmtpMailer(
            lambda: parse_smtp_url(self._mails.url),
            "catalogue@shop.test",
            timeout_seconds=30,
            seconds_max=30,
        )
        claims = PostgresClaims(self.read_model, unknown_after_seconds=60)
        return Notifier(
            claims, mailer, self._log.reading, recipients or (ANN,), read_url="http://read", patience=PATIENCE
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


@pytest.mark.parametrize(
    ("behaviour", "state", "verdict"),
    [
        ("RCPT:450 later", "failed", TryAgain),
        ("RCPT:550 nobody", "refused", "mail-refused"),
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
