"""How a metric is declared: its name, unit, meaning and labels, once, for the code and for docs/metrics.md.

Labels are bounded sets: a route's template and never a path, a projection's name and never a product. Each
metric keeps as many series as it ever had, so one label with the values of callers fills the memory of the
process and of Prometheus.
"""

import math
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from itertools import product
from typing import NamedTuple

from prometheus_client import Counter, Gauge, Histogram, disable_created_metrics

__all__ = ["CATALOGUE", "FAST_SECONDS", "SLOW_SECONDS", "Counter", "Declared", "Gauge", "Histogram", "Label",
           "counter", "gauge", "histogram", "observe_many"]  # fmt: skip

# Nobody reads the time of creation of each counter, and it doubles the size of a scrape.
disable_created_metrics()  # type: ignore[no-untyped-call]

FAST_SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0)
"""For waits of callers: from a cache hit to a read that waits for its token.

A service level objective can be computed without error only at a bound. 0.1 s is the objective of reads,
0.25 s of writes, 1 s of the delivery to Kafka, 2 s of the freshness of views. The bounds below these show
small changes; those above tell a slow answer from a time-out.
"""
SLOW_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 300.0, 3600.0)
"""For ways through the pipeline: from the usual few milliseconds to the hour that an outage takes."""


class Label(NamedTuple):
    """`values`: all possible ones, if they are known here; else `meaning` says what bounds them."""

    name: str
    meaning: str
    values: Sequence[str] = ()


class Declared(NamedTuple):
    """One metric, as docs/metrics.md shows it."""

    name: str
    kind: str
    unit: str
    meaning: str
    labels: Sequence[Label]
    buckets: Sequence[float]


CATALOGUE: list[Declared] = []
"""What the imported modules of this package declare."""


def counter(name: str, unit: str, meaning: str, *labels: Label, zeros: bool = True) -> Counter:
    """A sum that only grows.

    Where all values of all labels are known, each combination starts at 0: `rate` finds nothing at all for a
    series that appears with its first error. `zeros` False: a process has only some of them.
    """
    _note(name, "counter", unit, meaning, labels)
    metric = Counter(name, meaning, [label.name for label in labels])
    for values in _combinations(labels, zeros):
        metric.labels(*values)
    return metric


def gauge(name: str, unit: str, meaning: str, *labels: Label, is_unknown: bool = False) -> Gauge:
    """A number that rises and falls. `is_unknown`: NaN until it is measured, because 0 would be good news."""
    _note(name, "gauge", unit, meaning, labels)
    metric = Gauge(name, meaning, [label.name for label in labels])
    if is_unknown:
        metric.set(math.nan)
    return metric


def histogram(
    name: str, unit: str, meaning: str, *labels: Label, buckets: Sequence[float], zeros: bool = True
) -> Histogram:
    """Counts of values up to each bound; `zeros` as for a counter."""
    _note(name, "histogram", unit, meaning, labels, buckets)
    metric = Histogram(name, meaning, [label.name for label in labels], buckets=buckets)
    for values in _combinations(labels, zeros):
        metric.labels(*values)
    return metric


def observe_many(child: Histogram, values: Iterable[float]) -> None:
    """Observe all of them at once, for chunks of thousands of events: one `observe` takes a microsecond.

    The client library has no call for this, so it reaches inside; a test compares the result with `observe`.
    """
    bounds = child._upper_bounds
    found: dict[int, int] = {}
    total = 0.0
    for value in values:
        total += value
        at = bisect_left(bounds, value)
        found[at] = found.get(at, 0) + 1
    for at, count in found.items():
        child._buckets[at].inc(count)
    child._sum.inc(total)


def _note(
    name: str, kind: str, unit: str, meaning: str, labels: Sequence[Label], buckets: Sequence[float] = ()
) -> None:
    CATALOGUE.append(Declared(name, kind, unit, meaning, labels, buckets))


def _combinations(labels: Sequence[Label], zeros: bool) -> Iterable[tuple[str, ...]]:
    if not zeros or not labels or not all(label.values for label in labels):
        return ()
    return product(*(label.values for label in labels))
