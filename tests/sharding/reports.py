"""What a simulated run may do, and what it has done."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.sharding import operations as o


@dataclass(frozen=True, slots=True)
class Chances:
    """Of each step, in percent."""

    lost_percent: int = 6
    crash_percent: int = 2
    pause_percent: int = 5
    sweeper_percent: int = 4
    pause_steps_max: int = 60


@dataclass(slots=True)
class Report:
    """What a run has done and found. `trace`: each call with its result, without positions."""

    seed: int
    violations: list[str] = field(default_factory=list)
    trace: list[str] = field(default_factory=list)
    answers: dict[str, tuple[str, str]] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)

    def count(self, what: str) -> None:
        """One more of these."""
        self.counts[what] = self.counts.get(what, 0) + 1


def without_position(value: Any) -> Any:
    """A sequence is not rolled back, so positions in memory and in PostgreSQL differ after a fault."""
    if isinstance(value, o.Claimed | o.Appended):
        return type(value).__name__
    if isinstance(value, o.Stream):
        return value.events
    if isinstance(value, o.Append):
        return (value.product_id, value.expected_version, value.key, value.claim)
    if isinstance(value, o.Free):
        return (value.name, value.claim, value.is_held)
    return value


def summary(reports: Sequence[Report]) -> str:
    """The counts of some runs, in one line."""
    total: dict[str, int] = {}
    for report in reports:
        for what, count in report.counts.items():
            total[what] = total.get(what, 0) + count
    return ", ".join(f"{what} {count}" for what, count in sorted(total.items()))
