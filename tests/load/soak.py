"""The trends of a run's time series: memory, files and connections of each process, lag, logs."""

from collections.abc import Callable, Sequence

from tests.load.sampler import Sample
from tests.load.trend import Point, Trend, increments, trend_of

GROWTH_SHARE_MAX = 0.10
_MIB = 1024 * 1024
# Below these growths nothing matters: a heap that grows by 16 MiB in a run is no leak that a run can show.
_MEMORY_MIB_MIN, _FILES_MIN, _LAG_EVENTS_MIN, _LAG_SECONDS_MIN, _LOG_BYTES_PER_SECOND_MIN = (
    16,
    10,
    200,
    2,
    1024,
)


def trends(samples: Sequence[Sample]) -> list[Trend]:
    """One per measure that was readable."""
    names = sorted({name for sample in samples for name in sample.usage})
    found = [trend for name in names for trend in _of_process(name, samples)]
    lag_events = _points(samples, lambda sample: sample.lag_events)
    lag_seconds = _points(samples, lambda sample: sample.lag_seconds)
    logs = increments(_points(samples, lambda sample: sample.log_bytes))
    found += [
        _trend("lag, events", lag_events, _LAG_EVENTS_MIN),
        _trend("lag, seconds", lag_seconds, _LAG_SECONDS_MIN),
        _trend("logs, bytes per second", logs, _LOG_BYTES_PER_SECOND_MIN),
    ]
    return found


def _of_process(name: str, samples: Sequence[Sample]) -> list[Trend]:
    of_it = [(sample.at_seconds, sample.usage[name]) for sample in samples if name in sample.usage]
    memory = [(at, usage.memory_bytes / _MIB) for at, usage in of_it]
    files = [(at, float(usage.open_files)) for at, usage in of_it if usage.open_files is not None]
    sockets = [(at, float(usage.sockets)) for at, usage in of_it if usage.sockets is not None]
    return [
        _trend(f"{name}: memory, MiB", memory, _MEMORY_MIB_MIN),
        _trend(f"{name}: open files", files, _FILES_MIN),
        _trend(f"{name}: connections", sockets, _FILES_MIN),
    ]


def _points(samples: Sequence[Sample], value_of: Callable[[Sample], float | None]) -> list[Point]:
    return [
        (sample.at_seconds, float(value)) for sample in samples if (value := value_of(sample)) is not None
    ]


def _trend(measure: str, points: Sequence[Point], growth_min: float) -> Trend:
    return trend_of(measure, points, share_max=GROWTH_SHARE_MAX, growth_min=growth_min)
