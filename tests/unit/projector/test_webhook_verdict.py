"""What follows from the answer to a webhook."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from projector.webhooks.message import message_type
from projector.webhooks.ports import Answer, Delivery, Result
from projector.webhooks.verdict import RETRY_SECONDS, RetrySchedule, verdict

CLAIM = UUID(int=9)


def decided(status: int | None, failed_attempts: int = 0, chance: float = 0.0, **answer: Any) -> Result:
    delivery = Delivery(UUID(int=1), UUID(int=2), 3, "id", b"{}", failed_attempts)
    answered = Answer(datetime.now(UTC), 5, status, **answer)
    return verdict(delivery, CLAIM, answered, RetrySchedule(), chance)


@pytest.mark.parametrize("status", [200, 201, 204, 299])
def test_any_2xx_is_a_delivery(status: int) -> None:
    assert (decided(status).state, decided(status).retry_seconds) == ("delivered", None)


@pytest.mark.parametrize("status", [None, 199, 300, 302, 400, 401, 404, 500])
def test_anything_else_is_tried_again_by_the_schedule(status: int | None) -> None:
    found = [decided(status, attempt) for attempt in range(len(RETRY_SECONDS) + 1)]
    assert [each.retry_seconds for each in found] == [*RETRY_SECONDS, None]
    assert [each.state for each in found] == ["waiting"] * len(RETRY_SECONDS) + ["failed"]
    assert {(each.throttle_seconds, each.disable_reason) for each in found} == {(None, None)}


def test_the_schedule_is_that_of_the_specification() -> None:
    hours = [seconds / 3600 for seconds in RETRY_SECONDS[3:]]
    assert (RETRY_SECONDS[:3], hours) == ((5, 300, 1800), [2, 5, 10, 14, 20, 24])


def test_chance_makes_a_wait_longer_by_a_fifth_at_most() -> None:
    assert decided(500, 1, chance=1.0).retry_seconds == pytest.approx(360)
    assert decided(500, 1, chance=0.5).retry_seconds == pytest.approx(330)


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_an_overloaded_receiver_gets_a_rest(status: int) -> None:
    assert decided(status).throttle_seconds == RetrySchedule().throttle_seconds
    assert decided(status, retry_after_seconds=120.0).throttle_seconds == 120
    assert decided(status, 99).throttle_seconds == RetrySchedule().throttle_seconds


def test_retry_after_counts_where_it_is_longer_up_to_a_day() -> None:
    assert decided(503, retry_after_seconds=60.0).retry_seconds == 60
    assert decided(503, 1, retry_after_seconds=60.0).retry_seconds == 300
    assert decided(500, retry_after_seconds=1e9).retry_seconds == 86_400


def test_gone_disables_the_endpoint() -> None:
    found = decided(410)
    assert found.disable_reason == "the receiver answered 410 Gone"
    assert found.state == "waiting"


@pytest.mark.parametrize(
    ("stored", "sent"),
    [
        ("product-created", "product.created"),
        ("product-price-changed", "product.price_changed"),
        ("product-details-changed", "product.details_changed"),
        ("other", "other"),
    ],
)
def test_types_have_dots(stored: str, sent: str) -> None:
    assert message_type(stored) == sent
