"""A mail as bytes: read back by the standard parser it is what was meant; on the wire it is plain ASCII."""

from datetime import UTC, datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from email.utils import parsedate_to_datetime
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from projector.notifications.ports import Mail
from projector.notifications.smtp.message import message_bytes
from projector.notifications.text import one_line

SENDER = "The Catalogue <catalogue@shop.test>"
EVENT_ID = UUID("0192d3a0-0000-7000-8000-000000000001")
HAPPENED_AT = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)


def mail(subject: str = "New product: Shirt", body: str = "A body.\n", recipient: str = "ann@x.test") -> Mail:
    return Mail(EVENT_ID, recipient, subject, body, HAPPENED_AT)


def parsed(raw: bytes) -> EmailMessage:
    message = message_from_bytes(raw, policy=default)
    assert isinstance(message, EmailMessage)
    return message


def text_of(message: EmailMessage) -> str:
    return str(message.get_content()).replace("\r\n", "\n")


def test_it_has_the_headers_of_a_mail_that_nobody_should_answer() -> None:
    message = parsed(message_bytes(mail(), SENDER))
    assert message["From"] == SENDER
    assert message["To"] == "ann@x.test"
    assert message["Subject"] == "New product: Shirt"
    assert parsedate_to_datetime(message["Date"]) == HAPPENED_AT.replace(microsecond=0)
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["X-Auto-Response-Suppress"] == "All"
    assert message["X-Catalogue-Event-Id"] == str(EVENT_ID)
    assert message.get_content_type() == "text/plain"
    assert message.get_content_charset() == "utf-8"


def test_a_digest_says_which_it_is_and_how_many_events_it_counts_and_names_no_event() -> None:
    message = parsed(message_bytes(mail()._replace(event_count=2004), SENDER))
    assert message["X-Catalogue-Digest-Id"] == str(EVENT_ID)
    assert message["X-Catalogue-Event-Count"] == "2004"
    assert message["X-Catalogue-Event-Id"] is None
    assert parsed(message_bytes(mail(), SENDER))["X-Catalogue-Digest-Id"] is None


def test_its_id_is_made_of_event_and_recipient_and_does_not_tell_the_recipient() -> None:
    first, again = (parsed(message_bytes(mail(), SENDER))["Message-ID"] for _ in range(2))
    other = parsed(message_bytes(mail(recipient="bob@x.test"), SENDER))["Message-ID"]
    assert first == again != other
    assert first.startswith(f"<{EVENT_ID}.")
    assert first.endswith("@shop.test>")
    assert "ann" not in first


@pytest.mark.parametrize(
    "name",
    [
        "Größe Ñandú",
        "北京" * 60,
        "👩\u200d👩\u200d👧",
        'quo"te <tag> =?utf-8?q?fake?= ',
        "x" * 120,
        "a, b; c: d@e",
    ],
)
def test_every_name_arrives_as_it_was(name: str) -> None:
    subject = one_line(f"New product: {name}")
    raw = message_bytes(mail(subject, f"Name: {name}\n"), SENDER)
    message = parsed(raw)
    assert message["Subject"] == subject
    assert text_of(message) == f"Name: {name}\n"
    assert raw.isascii()
    assert max(map(len, raw.split(b"\r\n"))) <= 998
    assert b"\n" not in raw.replace(b"\r\n", b"")


@given(st.text(st.characters(codec="utf-8"), max_size=300))
def test_whatever_a_product_is_called_there_is_one_subject_and_no_other_header(name: str) -> None:
    subject, body = f"New product: {one_line(name)}", f"{one_line(name)}\n.\n..\n"
    raw = message_bytes(mail(subject, body), SENDER)
    message = parsed(raw)
    assert message.keys() == parsed(message_bytes(mail(), SENDER)).keys()
    assert " ".join(message["Subject"].split()) == " ".join(subject.split())
    assert text_of(message) == body
    assert raw.isascii()
