"""`python -m tests.cluster.figures FILE`: the figures of trials (CLUSTER_REPORT) as the table of
docs/kubernetes-trials.md. Of a trial that ran several times the last run counts."""

import json
import sys
from pathlib import Path
from typing import Any

_OF_THE_LOAD = (
    "at",
    "trial",
    "seconds",
    "requests",
    "failed",
    "failed_by_kind",
    "milliseconds",
    "much",
    "little",
)
_KINDS = ("read", "write", "token read")


def table(lines: list[str]) -> str:
    """One row for each trial under load, in the order of the file."""
    trials = {figures["trial"]: figures for figures in map(json.loads, lines) if "requests" in figures}
    head = "| trial | measured | requests | failed | read, write, token read: p99 (max) in ms |"
    return "\n".join([head, "|---|---|---|---|---|", *map(_row, trials.values())])


def _row(figures: dict[str, Any]) -> str:
    measured = "; ".join(
        f"{name.replace('_', ' ')} {value}"
        for name, value in figures.items()
        if name not in _OF_THE_LOAD and isinstance(value, int | float)
    )
    by_kind = "; ".join(f"{count} {kind}" for kind, count in figures["failed_by_kind"].items())
    failed = f"{figures['failed']} ({by_kind})" if by_kind else "0"
    times = figures["milliseconds"]
    each = ", ".join(
        f"{times[kind]['p99']:.0f} ({times[kind]['max']:.0f})" if kind in times else "none" for kind in _KINDS
    )
    return f"| {figures['trial']} | {measured} | {figures['requests']:,} | {failed} | {each} |"


if __name__ == "__main__":
    print(table(Path(sys.argv[1]).read_text().splitlines()))
