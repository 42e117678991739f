"""One attempt to send a claimed mail, and retries of PostgreSQL around it.

Single mails and digests share this, so that the counts and the meaning of a failure are the same for both.
"""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from projector.errors import Unavailable
from projector.notifications.ports import ClaimState, Delivery, Mail, Mailer
from shared.ops.error_text import named
from shared.ops.logs import get_logger
from shared.ops.metrics.mails import MAILS
from shared.ops.retry import RetryPolicy, retry_transient
from shared.telemetry import conventions as c
from shared.telemetry.spans import SpanKind
from shared.telemetry.tracing import span

T = TypeVar("T")
_log = get_logger(__name__)
_STATES: dict[str, ClaimState] = {
    "sent": "sent", "unreachable": "failed", "not-sent": "failed", "refused": "refused", "unknown": "unknown",
}  # fmt: skip


async def attempt(mailer: Mailer, mail: Mail) -> Delivery:
    """Send it. Never raises: after an unexpected error the mail may have been sent, so it is `unknown`."""
    with span(c.SEND_MAIL, SpanKind.CLIENT, {c.MESSAGING_SYSTEM: c.SMTP}) as own:
        try:
            delivery = await mailer.send(mail)
        except Exception as error:
            # A bug of ours; the mail may or may not have been sent.
            _log.exception("sending a mail failed with an unexpected error", about_id=str(mail.about_id))
            delivery = Delivery("unknown", named(error))
        own.set({c.MAIL_OUTCOME: delivery.outcome})
        if delivery.outcome != "sent":
            own.fail(delivery.outcome)  # the server's words may name the recipient
        return delivery


def settlement(kind: str, delivery: Delivery) -> tuple[ClaimState, str | None]:
    """(state, cause) of the claim after an attempt; counts the attempt under this kind."""
    MAILS.labels(kind, delivery.outcome).inc()
    return _STATES[delivery.outcome], None if delivery.outcome == "sent" else delivery.cause


async def patiently(patience: RetryPolicy, operation: Callable[[], Awaitable[T]]) -> T:
    """Retries the operation while PostgreSQL cannot be reached. Raises `Unavailable` when the budget ends."""
    return await retry_transient(
        patience, operation, is_transient=lambda error: isinstance(error, Unavailable)
    )
