"""A table of contenders: measured in interleaved rounds, with medians and the ratio to the first one.

Absolute figures on a shared machine differ by a factor of two between rounds. Ratios within a round do not,
so each ratio is the median of the rounds' ratios.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from statistics import median

Measure = Callable[[], Awaitable[float]]


@dataclass(frozen=True)
class Contender:
    """One row. `measure` returns a rate per second, or a latency if the table has latencies."""

    name: str
    measure: Measure
    target: float | None = None
    """The smallest ratio to the first contender that meets the target (the greatest, if
    `lower_is_better`).
    """
    note: str = ""


@dataclass
class Row:
    """A contender's figures over the rounds."""

    contender: Contender
    figures: list[float] = field(default_factory=list)


@dataclass(frozen=True)
class Table:
    """Contenders, compared with the first of them."""

    title: str
    unit: str
    contenders: Sequence[Contender]
    lower_is_better: bool = False
    below: Callable[[], Sequence[str]] = tuple
    """Lines under the table, asked for after its rounds: figures that are told, and compared with nothing."""


async def run_table(table: Table, rounds: int) -> list[str]:
    """Measure and return the lines of a Markdown table. If a contender fails, its row has the error."""
    rows = [Row(contender) for contender in table.contenders]
    failures: dict[str, str] = {}
    for number in range(rounds):
        for row in rows:
            if row.contender.name in failures:
                continue
            print(f"  {table.title}: round {number + 1}/{rounds}, {row.contender.name} ...", flush=True)
            try:
                row.figures.append(await row.contender.measure())
            except Exception as error:
                failures[row.contender.name] = _cause(error)
    below = table.below()
    return ["", f"### {table.title}", "", *_lines(table, rows, failures), *([""] if below else []), *below]


def _cause(error: BaseException) -> str:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return f"{type(error).__name__}: {error}"


def _lines(table: Table, rows: list[Row], failures: dict[str, str]) -> list[str]:
    yardstick = rows[0].figures
    lines = [
        f"| contender | {table.unit}, median (min-max) | ratio to the first | target | |",
        "|---|---|---|---|---|",
    ]
    for row in rows:
        name, note = row.contender.name, row.contender.note
        if name in failures or not row.figures or not yardstick:
            lines.append(
                f"| {name} | not measured | | | {failures.get(name, 'the first one was not measured')} |"
            )
            continue
        ratios = [own / base for own, base in zip(row.figures, yardstick, strict=False)]
        ratio = median(ratios) if ratios else float("nan")
        spread = f"({_number(min(row.figures))}-{_number(max(row.figures))})"
        lines.append(
            f"| {name} | {_number(median(row.figures))} {spread}"
            f" | {ratio:.2f} ({min(ratios):.2f}-{max(ratios):.2f})"
            f" | {_verdict(table, row.contender, ratio)} | {note} |"
        )
    return lines


def _verdict(table: Table, contender: Contender, ratio: float) -> str:
    if contender.target is None:
        return ""
    is_met = ratio <= contender.target if table.lower_is_better else ratio >= contender.target
    sign = "<=" if table.lower_is_better else ">="
    return f"{sign} {contender.target:g}: {'met' if is_met else 'MISSED'}"


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.2f}"
