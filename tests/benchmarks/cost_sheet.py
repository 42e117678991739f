"""What the tables of the suite `cost` tell without a comparison: each part by itself, at each load."""

from collections.abc import Callable, Mapping, Sequence
from math import isnan
from statistics import median

from tests.benchmarks.bars import bar_lines
from tests.benchmarks.cost_run import MANY, OPEN_LOOPS, SATURATION, Cost, CostRun
from tests.benchmarks.mixed_commands import Outcome
from tests.benchmarks.whole_system import PARTS

# Logging, timers and the mail server of the run itself are less.
QUIET_CORES_MAX = 0.2
NamedRuns = Sequence[tuple[str, Sequence[CostRun]]]
SEEN: Mapping[str, Callable[[Outcome], float]] = {
    "write p50, ms": lambda outcome: outcome.answered_at(50),
    "visible p50, ms": lambda outcome: outcome.visible_at(50),
    "visible p99, ms": lambda outcome: outcome.visible_at(99),
    "refused": lambda outcome: outcome.refused,
}


def cost_lines(runs: NamedRuns) -> list[str]:
    """Processor time a command by part in ms, and what callers saw: medians of the rounds."""
    heads = ("load", "", "all parts", *PARTS, *SEEN, "other work, cores")
    rows = [
        [load, name, *_cost_cells([run.by_load[load] for run in made])]
        for load in (*(each.name for each in OPEN_LOOPS), SATURATION)
        for name, made in runs
    ]
    return ["Processor time a command by part, ms:", "", *markdown_lines(heads, rows)]


def idle_lines(runs: NamedRuns) -> list[str]:
    """What each part costs and takes without load: medians of the rounds."""
    heads = ("", "", *PARTS)
    idle = [["% of a core", name, *_by_part([run.idle_percent for run in made])] for name, made in runs]
    memory = [
        ["MiB resident", name, *_by_part([run.memory_mebibytes for run in made])] for name, made in runs
    ]
    return ["By part, without load:", "", *markdown_lines(heads, idle + memory)]


def behind_lines(runs: NamedRuns) -> list[str]:
    """How far the slowest projection was behind when the clients stopped."""
    return [
        f"{name}: everything applied {middle([run.behind_seconds for run in made])} s after the last answer."
        for name, made in runs
    ]


def picture_lines(runs: NamedRuns) -> list[str]:
    """Each part at the rate with reads and at saturation, a bar for each checkout: medians of the rounds."""
    lines: list[str] = []
    for load in (MANY.name, SATURATION):
        costs = [(name, [run.by_load[load].by_part for run in made]) for name, made in runs if made]
        groups = [
            (part, [(name, median([each[part] for each in figures])) for name, figures in costs])
            for part in PARTS
        ]
        lines += ["", *bar_lines(f"{load}, ms of processor time a command", groups)]
    return lines


def busy_lines(runs: NamedRuns, *, has_other_job: bool = False) -> list[str]:
    """A warning if other work took much of the machine in any run. Then rates are lower; and batches, which
    wait for a core, are larger, so that commands look cheaper than they are.
    """
    most = max(
        (cost.other_cores for _, made in runs for run in made for cost in run.by_load.values()), default=0.0
    )
    if most <= QUIET_CORES_MAX:
        return []
    if has_other_job:
        return ["", f"Other work took up to {most:.1f} cores, of which one process was asked for."]
    return [
        "",
        f"Other work took up to {most:.1f} cores. Repeat it on a quiet machine: no ratio here is a result.",
    ]


def _cost_cells(costs: Sequence[Cost]) -> list[str]:
    outcomes = [cost.outcome for cost in costs if cost.outcome is not None]
    seen = [middle([of(outcome) for outcome in outcomes]) for of in SEEN.values()]
    parts = _by_part([cost.by_part for cost in costs])
    others = middle([cost.other_cores for cost in costs])
    return [middle([cost.total for cost in costs]), *parts, *seen, others]


def _by_part(figures: Sequence[Mapping[str, float]]) -> list[str]:
    return [middle([each[part] for each in figures]) for part in PARTS]


def middle(values: Sequence[float]) -> str:
    """The median; a hyphen if there is none, or no number."""
    known = [value for value in values if not isnan(value)]
    if not known:
        return "-"
    middle = median(known)
    return f"{middle:,.0f}" if middle >= 100 or middle == 0 else f"{middle:.2f}"


def markdown_lines(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """A table."""
    lines = ["| " + " | ".join(cells) + " |" for cells in (heads, *rows)]
    return [lines[0], "|" + "---|" * len(heads), *lines[1:]]
