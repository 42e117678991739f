"""What becomes of a mail at a real mail server, in each way in which that can fail."""

import asyncio
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from deploy.local.ports import HOST, free_port
from projector.notification_settings import parse_smtp_url
from projector.notifications.ports import Mail
from projector.notifications.smtp.mailer import SmtpMailer
from tests.mail_server import MailServer, mail_server, only
from tests.silent_server import silent_server

MAIL = Mail(
    UUID(int=1), "ann@x.test", "New product: Größe", "A line.\n.\n.with a period\n\nEnd.\n",
    datetime(2026, 1, 2, tzinfo=UTC),
)  # fmt: skip


def mailer(url: str, **more: Any) -> SmtpMailer:
    limits = {"timeout_seconds": 2.0, "seconds_max": 4.0, **more}
    return SmtpMailer(lambda: parse_smtp_url(url), "Catalogue <catalogue@shop.test>", **limits)


async def test_a_mail_arrives_as_it_was_with_its_envelope() -> None:
    async with mail_server() as server:
        assert (await mailer(server.url).send(MAIL)).outcome == "sent"
        (received,) = server.taken
    assert (received.sender, received.recipient) == ("catalogue@shop.test", "ann@x.test")
    assert received.subject == MAIL.subject
    assert received.text.replace("\r\n", "\n") == MAIL.body
    assert not received.raw.startswith(b"\r\n")


@pytest.mark.parametrize(
    ("behaviour", "outcome", "cause"),
    [
        ("220:421 not now", "unreachable", "421 not now"),
        ("220:554 not you", "unreachable", "554 not you"),
        ("MAIL:421 going down", "not-sent", "421 going down"),
        ("MAIL:450 slow down", "not-sent", "450 slow down"),
        ("MAIL:550 no such sender", "refused", "550 no such sender"),
        ("MAIL:drop", "not-sent", "SMTPServerDisconnected"),
        ("MAIL:hang", "not-sent", "SMTPReadTimeoutError"),
        ("RCPT:450 greylisted", "not-sent", "450 greylisted"),
        ("RCPT:550 no such user", "refused", "550 no such user"),
        ("DATA:451 later", "not-sent", "451 later"),
        ("DATA:554 never", "refused", "554 never"),
        ("DATA:drop", "not-sent", "SMTPServerDisconnected"),
        ("end:451 disk full", "not-sent", "451 disk full"),
        ("end:554 looks like spam", "refused", "554 looks like spam"),
        ("end:drop", "unknown", "after the mail was handed over"),
        ("end:hang", "unknown", "after the mail was handed over"),
        ("end:what", "unknown", "what"),
    ],
)
async def test_a_failure_is_of_the_class_that_its_moment_and_its_answer_make_it(
    behaviour: str, outcome: str, cause: str
) -> None:
    async with mail_server() as server:
        server.behave(behaviour)
        delivery = await mailer(server.url, timeout_seconds=0.3).send(MAIL)
        assert (delivery.outcome, cause in delivery.cause) == (outcome, True), delivery
        # Certain is certain: what was not sent is not there, what is unknown may be.
        assert bool(server.taken) == (outcome == "unknown" and behaviour != "end:what")


async def test_a_server_that_is_down_is_unreachable() -> None:
    delivery = await mailer(f"smtp://{HOST}:{free_port()}").send(MAIL)
    assert delivery.outcome == "unreachable"


async def test_a_server_that_takes_the_connection_and_says_nothing_is_unreachable() -> None:
    async with silent_server() as (port, _):
        delivery = await mailer(f"smtp://{HOST}:{port}", timeout_seconds=0.2).send(MAIL)
        assert delivery.outcome == "unreachable"


async def test_the_whole_conversation_has_a_limit_of_its_own() -> None:
    async with mail_server() as server:
        server.behave("end:hang")
        delivery = await mailer(server.url, timeout_seconds=60, seconds_max=1.0).send(MAIL)
        assert (delivery.outcome, "TimeoutError" in delivery.cause) == ("unknown", True)
        server.behave("MAIL:hang")
        delivery = await mailer(server.url, timeout_seconds=60, seconds_max=0.3).send(MAIL)
        assert delivery.outcome == "not-sent"


@pytest.fixture
async def guarded() -> Any:
    async with mail_server(
        authenticator=only(b"ann@x", b"p:w"), auth_required=True, auth_require_tls=False
    ) as server:
        yield server


async def test_a_log_in_is_used_and_a_wrong_one_is_no_fault_of_the_mail(guarded: MailServer) -> None:
    address = f"{HOST}:{guarded.port}?starttls=never"
    assert (await mailer(f"smtp://ann%40x:p%3Aw@{address}").send(MAIL)).outcome == "sent"
    delivery = await mailer(f"smtp://ann%40x:wrong@{address}").send(MAIL)
    assert (delivery.outcome, delivery.cause[:3]) == ("unreachable", "535")


async def test_a_password_is_not_sent_in_the_clear_unless_told_so(guarded: MailServer) -> None:
    delivery = await mailer(f"smtp://ann%40x:p%3Aw@{HOST}:{guarded.port}").send(MAIL)
    assert (delivery.outcome, "STARTTLS" in delivery.cause) == ("unreachable", True)
    assert guarded.taken == []


async def test_many_mails_at_a_time_all_arrive() -> None:
    async with mail_server() as server:
        sender = mailer(server.url)
        mails = [MAIL._replace(recipient=f"r{number}@x.test") for number in range(30)]
        deliveries = await asyncio.gather(*map(sender.send, mails))
        assert {one.outcome for one in deliveries} == {"sent"}
        assert sorted(server.recipients()) == sorted(one.recipient for one in mails)
