"""The report of a run: one document for programs, and the same in tables for people."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tests.load.generator import Measured
from tests.load.latencies import milliseconds, percentile, together
from tests.load.plan import COMMAND_SHARES, IMPORT, READ_SHARES, TOKEN_READ, Plan
from tests.load.sampler import Sample
from tests.load.trend import Trend

_MIB = 1024 * 1024
_READS = (*READ_SHARES, TOKEN_READ)


@dataclass(frozen=True)
class Part:
    """A measured part of the run, with the samples taken at its begin and its end and between."""

    measured: Measured
    samples: Sequence[Sample]


def document(
    plan: Plan, parts: Sequence[Part], trends: Sequence[Trend], missing: Sequence[str], command: str
) -> dict[str, Any]:
    """Everything, for JSON."""
    return {
        "command": command,
        "ended_at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "seed": plan.seed,
        "is_valid": not any(problems_of(part.measured, plan) for part in parts),
        "problems": [problem for part in parts for problem in problems_of(part.measured, plan)],
        "parts": [_part(part) for part in parts],
        "trends": [_trend(trend) for trend in trends],
        "processes_not_available": list(missing),
        "samples": [_sample(sample) for part in parts for sample in part.samples],
    }


def problems_of(measured: Measured, plan: Plan) -> list[str]:
    """Why the figures of a part do not count: it was the generator that was slow, not the system."""
    problems: list[str] = []
    late = percentile(sorted(measured.late_seconds), 99.0)
    if late is not None and late * 1000 > plan.late_milliseconds_max:
        problems.append(
            f"{measured.name}: the generator was late, p99 {late * 1000:.0f} ms"
            f" (at most {plan.late_milliseconds_max:.0f} ms)"
        )
    not_sent = sum(
        count
        for outcomes in measured.outcomes.values()
        for why, count in outcomes.errors.items()
        if why.startswith("not sent")
    )
    if not_sent:
        problems.append(f"{measured.name}: the generator has not sent {not_sent} requests")
    return problems


def _part(part: Part) -> dict[str, Any]:
    measured = part.measured
    offered = sum(measured.offered.values())
    all_of_them = together(measured.outcomes)
    return {
        "name": measured.name,
        "seconds": measured.seconds,
        "offered": offered,
        "offered_per_second": round(offered / measured.seconds, 2),
        "admitted_per_second": round(len(all_of_them.admitted) / measured.seconds, 2),
        "generator_late_milliseconds": milliseconds(measured.late_seconds),
        "kinds": {
            kind: {"offered": measured.offered.get(kind, 0), **outcomes.figures()}
            for kind, outcomes in sorted(measured.outcomes.items())
        },
        "all": {"offered": offered, **all_of_them.figures()},
        "lag": _lag(part.samples),
        "processes": _cost(measured, part.samples),
    }


def _lag(samples: Sequence[Sample]) -> dict[str, Any]:
    events = [sample.lag_events for sample in samples if sample.lag_events is not None]
    seconds = [sample.lag_seconds for sample in samples if sample.lag_seconds is not None]
    return {
        "events_max": max(events, default=None),
        "seconds_max": max(seconds, default=None),
        "events_at_end": samples[-1].lag_events if samples else None,
        "seconds_at_end": samples[-1].lag_seconds if samples else None,
        "samples_without_lag": sum(sample.lag_seconds is None for sample in samples),
    }


def _cost(measured: Measured, samples: Sequence[Sample]) -> dict[str, Any]:
    """Processor time between the first and the last sample, also by 1,000 commands and by 1,000 reads.

    In a part with both kinds the two figures share one sum: the parts with one kind tell them apart. The
    reads with the tokens of commands belong to the commands.
    """
    if len(samples) < 2:
        return {}
    commands = sum(_admitted(measured, kind) for kind in COMMAND_SHARES)
    commands += _admitted(measured, IMPORT)
    has_readers = any(kind in measured.offered for kind in READ_SHARES)
    reads = sum(_admitted(measured, kind) for kind in _READS) if has_readers else 0
    first, last = samples[0], samples[-1]
    cost: dict[str, Any] = {}
    for name in first.usage.keys() & last.usage.keys():
        seconds = last.usage[name].processor_seconds - first.usage[name].processor_seconds
        memory = [sample.usage[name].memory_bytes for sample in samples if name in sample.usage]
        cost[name] = {
            "processor_seconds": round(seconds, 3),
            "cores": round(seconds / (last.at_seconds - first.at_seconds), 4),
            "processor_seconds_per_1000_commands": round(seconds * 1000 / commands, 3) if commands else None,
            "processor_seconds_per_1000_reads": round(seconds * 1000 / reads, 3) if reads else None,
            "memory_mib": round(memory[-1] / _MIB, 1),
            "memory_mib_max": round(max(memory) / _MIB, 1),
        }
    return dict(sorted(cost.items()))


def _admitted(measured: Measured, kind: str) -> int:
    outcomes = measured.outcomes.get(kind)
    return len(outcomes.admitted) if outcomes is not None else 0


def _trend(trend: Trend) -> dict[str, Any]:
    return {
        "measure": trend.measure,
        "begin": round(trend.begin, 2),
        "end": round(trend.end, 2),
        "greatest": round(trend.greatest, 2),
        "growth_max": round(trend.growth_max, 2),
        "verdict": trend.verdict,
    }


def _sample(sample: Sample) -> Mapping[str, Any]:
    return {
        "at_seconds": round(sample.at_seconds, 1),
        "lag_events": sample.lag_events,
        "lag_seconds": sample.lag_seconds,
        "log_bytes": sample.log_bytes,
        "processes": {
            name: {
                "processor_seconds": round(usage.processor_seconds, 2),
                "memory_mib": round(usage.memory_bytes / _MIB, 1),
                "open_files": usage.open_files,
                "sockets": usage.sockets,
            }
            for name, usage in sample.usage.items()
        },
    }
