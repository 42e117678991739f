"""Background measurements: their age shows, an outage of one disturbs nobody, and a stop ends them."""

import asyncio
import math
from uuid import uuid4

from prometheus_client import REGISTRY
from structlog.testing import capture_logs

from shared.ops.measuring import Measurement, measure
from tests.counters import counted
from tests.eventually import eventually

SOON = 0.001
LONG = 60.0
NEVER = 1e6


def _measured_at(name: str) -> float:
    value = REGISTRY.get_sample_value("measured_timestamp_seconds", {"measurement": name})
    return math.nan if value is None else value


class Taken:
    """A measurement that can be told to fail or to hang."""

    def __init__(self, *, seconds_max: float = LONG) -> None:
        self.name = f"test {uuid4()}"
        self.times = 0
        self.error: Exception | None = None
        self.hangs = False
        self.value = 0.0
        self.measurement = Measurement(self.name, self.take, SOON, seconds_max, self.forget)

    def forget(self) -> None:
        self.value = math.nan

    async def take(self) -> None:
        self.times += 1
        if self.error is not None:
            raise self.error
        self.value = 1.0
        if self.hangs:
            await asyncio.Event().wait()

    def taken(self, times: int) -> None:
        assert self.times >= times

    @property
    def failures(self) -> float:
        return counted("measurement_failures_total", measurement=self.name)


async def _until(*conditions: object, measurements: list[Measurement]) -> None:
    stop = asyncio.Event()
    measuring = asyncio.create_task(measure(stop, measurements))
    for condition in conditions:
        await eventually(condition)  # type: ignore[arg-type]
    stop.set()
    async with asyncio.timeout(LONG):
        await measuring


async def test_a_success_sets_the_time_and_it_is_taken_again() -> None:
    one = Taken()
    await _until(lambda: one.taken(3), measurements=[one.measurement])
    assert _measured_at(one.name) > 0
    assert one.failures == 0


async def test_a_failure_is_counted_and_its_age_shows_and_a_lasting_one_is_logged_once() -> None:
    one = Taken()
    one.error = OSError("away")
    with capture_logs() as lines:
        await _until(lambda: one.taken(3), measurements=[one.measurement])
    assert one.failures >= 2
    assert _measured_at(one.name) == 0.0
    (line,) = lines
    assert (line["event"], line["measurement"], line["error"]) == (
        "measurement failed", one.name, "OSError: away",
    )  # fmt: skip


async def test_one_that_hangs_is_ended_by_its_limit_and_disturbs_no_other() -> None:
    hanging, other = Taken(seconds_max=SOON), Taken()
    hanging.hangs = True
    await _until(
        lambda: hanging.taken(2),
        lambda: other.taken(5),
        measurements=[hanging.measurement, other.measurement],
    )
    assert hanging.failures >= 1


async def test_a_stop_ends_a_measurement_that_is_under_way() -> None:
    one = Taken(seconds_max=NEVER)
    one.hangs = True
    await _until(lambda: one.taken(1), measurements=[one.measurement])
    assert one.times == 1


async def test_a_value_is_kept_over_two_failures_and_unknown_after_three_until_it_is_measured_again() -> None:
    failing = Taken()
    failing.value = 1.0
    values: list[float] = []

    async def fail_until_the_fifth() -> None:
        values.append(failing.value)
        failing.error = OSError("away") if len(values) < 5 else None
        await failing.take()

    measurement = failing.measurement._replace(take=fail_until_the_fifth)
    await _until(lambda: failing.taken(6), measurements=[measurement])
    assert [math.isnan(value) for value in values[:6]] == [False, False, False, True, True, False]
