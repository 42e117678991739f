"""Operators learn by mail that an endpoint was disabled, and are told again if the mail did not go out."""

from typing import Any
from uuid import uuid4

import pytest

from projector.notifications.ports import Delivery, Mail
from projector.webhooks.notices import OperatorNotices
from projector.webhooks.ports import Disabled

DISABLED = Disabled(uuid4(), "https://shop.example/hooks", "the receiver answered 410 Gone")


class _Mailer:
    """The outcomes of its mails, in their order; `sent` keeps the mails."""

    def __init__(self, *outcomes: Any) -> None:
        self._outcomes = list(outcomes)
        self.sent: list[Mail] = []

    async def send(self, mail: Mail) -> Delivery:
        self.sent.append(mail)
        return Delivery(self._outcomes.pop(0), "250 taken")


async def test_each_recipient_gets_a_mail_with_the_reason_and_the_remedy() -> None:
    mailer = _Mailer("sent", "sent")
    assert await OperatorNotices(mailer, ["a@example.org", "b@example.org"]).tell(DISABLED)
    assert [mail.recipient for mail in mailer.sent] == ["a@example.org", "b@example.org"]
    body = mailer.sent[0].body
    for part in (DISABLED.url, DISABLED.reason, f"PATCH /v1/webhook-endpoints/{DISABLED.endpoint_id}"):
        assert part in body
    assert '{"status": "enabled"}' in body


@pytest.mark.parametrize("outcome", ["unreachable", "not-sent"])
async def test_a_mail_that_did_not_go_out_is_tried_again(outcome: str) -> None:
    assert not await OperatorNotices(_Mailer(outcome), ["a@example.org"]).tell(DISABLED)


@pytest.mark.parametrize("outcome", ["refused", "unknown"])
async def test_a_mail_that_is_refused_or_perhaps_sent_is_not_repeated(outcome: str) -> None:
    assert await OperatorNotices(_Mailer(outcome), ["a@example.org"]).tell(DISABLED)


async def test_without_a_mail_server_the_log_line_is_enough() -> None:
    assert await OperatorNotices(None, []).tell(DISABLED)
