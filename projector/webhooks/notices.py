"""Tells the operators of the catalogue by mail that an endpoint was disabled."""

from collections.abc import Sequence
from datetime import UTC, datetime

from projector.notifications.ports import Mail, Mailer
from projector.webhooks.ports import Disabled
from shared.ops.logs import get_logger

_log = get_logger(__name__)
_TEXT = """The webhook endpoint {endpoint_id} gets no more events:

    {url}
    {reason}

Its events wait in the log. When the receiver works again, enable the endpoint:

    PATCH /v1/webhook-endpoints/{endpoint_id}
    {{"status": "enabled"}}
"""


class OperatorNotices:
    """Implements `Notices`: a line in the log, and a mail to each recipient if there is a mail server."""

    def __init__(self, mailer: Mailer | None, recipients: Sequence[str]) -> None:
        self._mailer = mailer
        self._recipients = recipients

    async def tell(self, disabled: Disabled) -> bool:
        _log.warning(
            "webhook endpoint disabled",
            endpoint_id=str(disabled.endpoint_id),
            url=disabled.url,
            reason=disabled.reason,
        )
        if self._mailer is None:
            return True
        text = _TEXT.format(endpoint_id=disabled.endpoint_id, url=disabled.url, reason=disabled.reason)
        for recipient in self._recipients:
            mail = Mail(disabled.endpoint_id, recipient, "Webhook endpoint disabled", text, datetime.now(UTC))
            delivery = await self._mailer.send(mail)
            if delivery.outcome in ("unreachable", "not-sent"):
                return False
        return True
