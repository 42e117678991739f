"""Lag is the age of the oldest waiting event, freshness is that of new events, and labels are bounded."""

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import get_args
from uuid import UUID, uuid4

import msgspec
import pytest
from prometheus_client import REGISTRY

from projector.applying.records import Delivered, ErrorClass, MadeRecord
from projector.kafka.metrics import ProjectionMetrics
from shared.ops.metrics.projections import ERROR_CLASSES
from tests.counters import counted
from tests.unit.projector.histories import new_product_id, priced, recorded

DAY, MINUTE = timedelta(days=1), timedelta(minutes=1)
LOG_ID = UUID(int=1)
TOLERATED = 30.0
"""Seconds by which a slow machine may be late."""


@pytest.fixture
def name() -> str:
    return f"test {uuid4()}"


@pytest.fixture
def metrics(name: str) -> Iterator[ProjectionMetrics]:
    made = ProjectionMetrics(name)
    yield made
    made.forget()


def _ago(age: timedelta) -> datetime:
    return datetime.now(UTC) - age


def _record(offset: int, at: datetime, partition: int = 0) -> MadeRecord:
    return MadeRecord("products-events", partition, offset, int(at.timestamp() * 1000), None, None, ())


def _delivered(log_position: int, at: datetime, event_type: str = "product-price-changed") -> Delivered:
    event = recorded(new_product_id(), 1, priced("2.00"), log_position)
    event = msgspec.structs.replace(event, recorded_at=at, event_type=event_type)
    return Delivered(0, log_position, event, LOG_ID, _record(log_position, at))


def _lag(metrics: ProjectionMetrics, next_offset: int, lag_events: int) -> float:
    return metrics.lag(0, next_offset, lag_events).lag_seconds


def test_a_projection_that_waits_for_nothing_has_no_lag_however_old_its_last_event_is(
    metrics: ProjectionMetrics,
) -> None:
    metrics.reached(0, 1, _ago(DAY), LOG_ID)
    assert _lag(metrics, next_offset=1, lag_events=0) == 0.0


def test_the_first_event_after_a_quiet_day_does_not_count_as_a_day_of_lag(metrics: ProjectionMetrics) -> None:
    metrics.reached(0, 1, _ago(DAY), LOG_ID)
    _lag(metrics, next_offset=1, lag_events=0)
    assert _lag(metrics, next_offset=1, lag_events=1) < TOLERATED


def test_the_age_is_that_of_the_delivered_record_that_is_not_applied(
    metrics: ProjectionMetrics,
) -> None:
    metrics.reached(0, 1, _ago(DAY), LOG_ID)
    metrics.delivered([_record(1, _ago(MINUTE)), _record(2, _ago(timedelta(0)))])
    assert MINUTE.total_seconds() <= _lag(metrics, 1, 2) < MINUTE.total_seconds() + TOLERATED


def test_between_the_batches_of_a_backlog_the_age_does_not_fall_to_zero(metrics: ProjectionMetrics) -> None:
    metrics.delivered([_record(1, _ago(DAY))])
    _lag(metrics, 1, 5)
    metrics.reached(0, 1, _ago(DAY - MINUTE), LOG_ID)
    waited = (DAY - MINUTE).total_seconds()
    assert waited <= _lag(metrics, 2, 4) < waited + TOLERATED


def test_after_a_backlog_is_done_a_new_event_is_new(metrics: ProjectionMetrics) -> None:
    metrics.delivered([_record(1, _ago(DAY))])
    _lag(metrics, 1, 1)
    metrics.reached(0, 1, _ago(DAY), LOG_ID)
    _lag(metrics, 2, 0)
    assert _lag(metrics, 2, 1) < TOLERATED


def test_another_process_takes_a_partition_over_without_its_past(metrics: ProjectionMetrics) -> None:
    metrics.delivered([_record(1, _ago(DAY))])
    _lag(metrics, 1, 1)
    metrics.forget()
    assert _lag(metrics, 1, 1) < TOLERATED


def test_a_partition_that_another_process_has_now_shows_no_lag_here_even_if_nothing_was_applied(
    metrics: ProjectionMetrics, name: str
) -> None:
    """As of a stopped projection after a restart: its last lag would be shown, and raise alerts, for ever."""
    metrics.delivered([_record(1, _ago(DAY))])
    _lag(metrics, 1, 1)
    metrics.reached(1, 7, _ago(DAY), LOG_ID)
    metrics.forget()
    for gauge in ("projection_lag_events", "projection_lag_seconds", "projection_position"):
        for partition in ("0", "1"):
            labels = {"projection": name, "partition": partition}
            assert REGISTRY.get_sample_value(gauge, labels) is None, (gauge, partition)


def test_without_partitions_a_projection_does_not_wait_for_redis(
    metrics: ProjectionMetrics, name: str
) -> None:
    metrics.waits_for_redis(True)
    metrics.forget()
    assert REGISTRY.get_sample_value("projection_waits_for_redis", {"projection": name}) == 0


def test_a_duplicate_is_no_late_event(metrics: ProjectionMetrics, name: str) -> None:
    fresh = _delivered(7, _ago(MINUTE))
    metrics.applied([fresh], Counter(), 0.1)
    metrics.reached(0, 7, fresh.event.recorded_at, LOG_ID)
    again, late = _delivered(6, _ago(DAY)), _delivered(8, _ago(DAY))
    metrics.applied([again, fresh, late], Counter(), 0.1)
    assert counted("projection_freshness_seconds_count", projection=name) == 2
    assert counted("projection_freshness_seconds_bucket", projection=name, le="300.0") == 1


def test_an_unknown_event_type_is_counted_as_other(metrics: ProjectionMetrics, name: str) -> None:
    metrics.applied([], Counter({("made-up-1", "skipped"): 2, ("made-up-2", "skipped"): 1}), 0.1)
    assert counted("projector_events_total", projection=name, type="other", result="skipped") == 3
    assert counted("projector_events_total", projection=name) == 3


def test_every_error_class_has_its_place_in_the_metric() -> None:
    assert set(ERROR_CLASSES) == {"transient", *get_args(ErrorClass)}
