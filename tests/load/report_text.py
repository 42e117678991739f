"""The tables of a report, in Markdown."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any


def markdown(document: Mapping[str, Any]) -> str:
    """The whole report."""
    lines = [
        "# Load",
        "",
        f"`{document['command']}`, ended at {document['ended_at']}, seed {document['seed']}.",
        "",
    ]
    if document["problems"]:
        lines += ["**Not valid**: " + "; ".join(document["problems"]) + ".", ""]
    for part in document["parts"]:
        lines += _part(part)
    if document["trends"]:
        lines += ["## Trends", ""]
        lines += _table(
            ("measure", "begin", "end", "greatest", "may grow by", "verdict"),
            (tuple(trend.values()) for trend in document["trends"]),
        )
    if missing := document["processes_not_available"]:
        lines += [f"No figures of these processes (not found on this machine): {', '.join(missing)}.", ""]
    return "\n".join(lines)


def _part(part: Mapping[str, Any]) -> list[str]:
    late = part["generator_late_milliseconds"]
    lag = part["lag"]
    lines = [
        f"## {part['name']}: {part['seconds']:g} s",
        "",
        (
            f"Offered {part['offered_per_second']:g} requests/s, admitted {part['admitted_per_second']:g}/s."
            f" Lag at most {_shown(lag['events_max'])} events, {_shown(lag['seconds_max'])} s;"
            f" at the end {_shown(lag['events_at_end'])} events, {_shown(lag['seconds_at_end'])} s."
            f" The generator was late by {_shown(late['p50'])} ms (p50), {_shown(late['p99'])} ms (p99)."
        ),
        "",
    ]
    kinds = {**part["kinds"], "**all**": part["all"]}
    lines += _table(
        (
            "kind",
            "offered",
            "admitted",
            "shed",
            "errors",
            "p50 ms",
            "p90 ms",
            "p99 ms",
            "p99.9 ms",
            "max ms",
            "why not",
        ),
        (
            (
                kind,
                it["offered"],
                it["admitted"],
                it["shed"],
                it["errors"],
                *it["milliseconds"].values(),
                _why(it),
            )
            for kind, it in kinds.items()
        ),
    )
    if part["processes"]:
        lines += _table(
            (
                "process",
                "processor s",
                "cores",
                "s per 1,000 commands",
                "s per 1,000 reads",
                "MiB",
                "MiB max",
            ),
            ((name, *figures.values()) for name, figures in part["processes"].items()),
        )
    return lines


def _why(kind: Mapping[str, Any]) -> str:
    counts = {**kind["shed_by_code"], **kind["errors_by_code"]}
    told = ", ".join(f"{code}: {count}" for code, count in counts.items())
    without = kind["shed_without_retry_after"]
    return f"{told} ({without} without Retry-After)" if without else told


def _table(head: Sequence[str], rows: Iterable[Sequence[Any]]) -> list[str]:
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    lines += ["| " + " | ".join(_shown(cell) for cell in row) + " |" for row in rows]
    return [*lines, ""]


def _shown(value: Any) -> str:
    if value is None:
        return "-"
    return f"{value:,g}" if isinstance(value, int | float) and abs(value) < 1e6 else str(value)
