"""What is said of a projection: nothing that is not known looks well."""

from datetime import UTC, datetime
from typing import Any

import pytest

from query_api.status.ports import ProjectionState
from query_api.status.status import status_of

PARTITIONS = 12
NOW = datetime(2026, 1, 1, tzinfo=UTC)
WELL = ProjectionState(
    projection="product_view", log_position=7, updated_at=NOW, partitions_measured=PARTITIONS, lag_events=3,
    lag_seconds=0.5, measured_at=NOW, partitions_in_trouble=0, partitions_stopped=0, is_paused=False,
    parked_products=0, parked_events=0,
)  # fmt: skip


@pytest.mark.parametrize(
    ("changed", "condition", "lag_events"),
    [
        ({}, "running", 3),
        ({"partitions_in_trouble": 1}, "waiting", 3),
        ({"partitions_in_trouble": 12, "partitions_stopped": 1}, "stopped", 3),
        ({"partitions_measured": 11}, "unknown", None),
        ({"partitions_measured": 11, "partitions_in_trouble": 11}, "unknown", None),
        ({"partitions_measured": 1, "partitions_stopped": 1}, "stopped", None),
        ({"partitions_measured": 0, "lag_events": None, "lag_seconds": None}, "unknown", None),
        ({"is_paused": True, "partitions_in_trouble": 12}, "paused", 3),
        ({"is_paused": True, "partitions_measured": 0}, "paused", None),
        ({"parked_products": 1, "parked_events": 2}, "running", 3),
    ],
)
def test_a_condition_and_a_lag_are_told_only_as_far_as_they_are_known(
    changed: dict[str, Any], condition: str, lag_events: int | None
) -> None:
    status = status_of(WELL._replace(**changed), PARTITIONS)
    assert (status.condition, status.lag_events) == (condition, lag_events)
    assert (status.lag_seconds is None) == (lag_events is None)
