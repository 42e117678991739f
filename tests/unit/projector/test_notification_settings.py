"""Where mails go and how: what a variable may say, and how a wrong one is refused without being shown."""

from typing import Any

import pytest
from pydantic import ValidationError

from projector.notification_settings import NotificationSettings, RetryDelay, SmtpServer, parse_smtp_url


def settings(**given: Any) -> NotificationSettings:
    return NotificationSettings(_env_file=None, **given)  # type: ignore[call-arg]


@pytest.mark.parametrize(
    ("url", "server"),
    [
        ("smtp://mail.test", SmtpServer("mail.test", 25, None, "", "starttls-if-offered")),
        ("smtp://mail.test:2525/", SmtpServer("mail.test", 2525, None, "", "starttls-if-offered")),
        ("smtp://ann:pw@mail.test", SmtpServer("mail.test", 587, "ann", "pw", "starttls")),
        ("smtp://a%40b:p%3Aw%2F@mail.test", SmtpServer("mail.test", 587, "a@b", "p:w/", "starttls")),
        ("smtp://ann:pw@mail.test?starttls=never", SmtpServer("mail.test", 587, "ann", "pw", "none")),
        ("smtp://mail.test?starttls=required", SmtpServer("mail.test", 25, None, "", "starttls")),
        ("smtps://ann:pw@mail.test", SmtpServer("mail.test", 465, "ann", "pw", "tls")),
        ("smtp://[::1]:25", SmtpServer("::1", 25, None, "", "starttls-if-offered")),
    ],
)
def test_a_url_says_all_about_a_mail_server(url: str, server: SmtpServer) -> None:
    assert parse_smtp_url(url) == server
    assert parse_smtp_url(settings(smtp_url=url).smtp_url.read()) == server


@pytest.mark.parametrize(
    "url",
    [
        "mail.test", "http://mail.test", "smtp://", "smtp://ann:secret@mail.test:port", "smtp://mail.test/path",
        "smtp://ann:25?secret@mail.test",
        "smtp://mail.test?starttls=perhaps", "smtps://mail.test?starttls=required", "smtp://mail.test?tls=1",
    ],
)  # fmt: skip
def test_a_url_that_is_none_is_refused_without_telling_its_password(url: str) -> None:
    with pytest.raises(ValidationError) as refusal:
        settings(smtp_url=url)
    assert "secret" not in str(refusal.value)


def test_recipients_are_addresses_with_commas_between_them_each_once() -> None:
    assert settings(notification_recipients=" a@x.test, b@x.test,a@x.test,").recipients == (
        "a@x.test",
        "b@x.test",
    )
    assert settings().recipients == ()


@pytest.mark.parametrize("address", ["nobody", "a@", "@x", "a b@x.test", "ä@x.test", "a@x.test\nBcc: b@x"])
def test_what_is_no_address_is_refused(address: str) -> None:
    with pytest.raises(ValidationError):
        settings(notification_recipients=f"a@x.test,{address}")
    with pytest.raises(ValidationError):
        settings(notification_sender=address)


def test_a_sender_may_have_a_name() -> None:
    sender = "The Catalogue <catalogue@shop.test>"
    assert settings(notification_sender=sender).notification_sender == sender


def test_delays_are_written_as_their_topics_are_called() -> None:
    assert settings(notification_retry_delays="250ms, 10s,1m,2h").retry_delays == (
        RetryDelay("250ms", 0.25), RetryDelay("10s", 10.0), RetryDelay("1m", 60.0), RetryDelay("2h", 7200.0),
    )  # fmt: skip


@pytest.mark.parametrize("delays", ["", "10", "0s", "10s,10s", "1d", "-1s", "1.5s"])
def test_what_is_no_delay_is_refused(delays: str) -> None:
    with pytest.raises(ValidationError):
        settings(notification_retry_delays=delays)


@pytest.mark.parametrize(
    ("given", "sends"),
    [
        ({}, False),
        ({"smtp_url": "smtp://mail.test"}, False),
        ({"notification_recipients": "a@x.test"}, False),
        ({"smtp_url": "smtp://mail.test", "notification_recipients": "a@x.test"}, True),
    ],
)
def test_mails_need_a_server_and_somebody_to_read_them(given: dict[str, str], sends: bool) -> None:
    assert settings(**given).sends_mails is sends
