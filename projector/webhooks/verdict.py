"""What follows from an answer: delivered, tried again and when, given up, or the end for the endpoint.

Source: Standard Webhooks 1.0, sections "Retry schedule" and "Status codes".
"""

from typing import NamedTuple
from uuid import UUID

from projector.webhooks.ports import Answer, Delivery, Result

GONE = 410
# These say that the receiver is overloaded, whatever the message is.
THROTTLING = frozenset({429, 502, 503, 504})
RETRY_SECONDS = (5.0, 300.0, 1_800.0, 7_200.0, 18_000.0, 36_000.0, 50_400.0, 72_000.0, 86_400.0)
"""After each failed attempt; after the last of them the message is given up."""
_JITTER = 0.2


class RetrySchedule(NamedTuple):
    """`seconds`: after each failed attempt. `throttle_seconds`: how long an endpoint rests that is overloaded
    and names no time; it may name `retry_after_seconds_max`.
    """

    seconds: tuple[float, ...] = RETRY_SECONDS
    throttle_seconds: float = 5.0
    retry_after_seconds_max: float = 86_400.0


def verdict(
    delivery: Delivery, claim_id: UUID, answer: Answer, schedule: RetrySchedule, chance: float
) -> Result:
    """`chance` is a random number from 0 to 1: receivers that were away are not called all at once."""
    if answer.status is not None and 200 <= answer.status < 300:
        return Result(delivery, claim_id, "delivered", answer)
    asked = min(answer.retry_after_seconds or 0.0, schedule.retry_after_seconds_max)
    throttle_seconds = max(asked, schedule.throttle_seconds) if answer.status in THROTTLING else None
    disable_reason = "the receiver answered 410 Gone" if answer.status == GONE else None
    if delivery.failed_attempts >= len(schedule.seconds):
        return Result(delivery, claim_id, "failed", answer, None, throttle_seconds, disable_reason)
    retry_seconds = max(schedule.seconds[delivery.failed_attempts] * (1 + _JITTER * chance), asked)
    return Result(delivery, claim_id, "waiting", answer, retry_seconds, throttle_seconds, disable_reason)
