"""What the tables of the suite `peers` tell without a comparison: parts, freshness, and what was lost."""

from collections.abc import Mapping, Sequence
from statistics import median

from tests.benchmarks.bars import bar_lines
from tests.benchmarks.cost_sheet import markdown_lines, middle
from tests.benchmarks.mixed_commands import Outcome
from tests.benchmarks.peer_run import AT_MANY, MANY, RATES, SATURATION, PeerRun
from tests.benchmarks.peer_system import PROJECTION, WRITE
from tests.benchmarks.read_model import Compared
from tests.benchmarks.whole_system import BROKER, NAMES, POSTGRES, REDIS

PARTS = (WRITE, NAMES["relay"], PROJECTION, NAMES["query-api"], BROKER, REDIS, POSTGRES)
NamedPeerRuns = Sequence[tuple[str, Sequence[PeerRun]]]


def part_lines(runs: NamedPeerRuns) -> list[str]:
    """Processor time a command by part in ms: medians of the rounds."""
    heads = ("load", "", "all parts", *PARTS, "other work, cores")
    rows = [
        [load, name, *_cost_cells([run for run in made if load in run.costs], load)]
        for load in (AT_MANY, SATURATION)
        for name, made in runs
    ]
    return ["Processor time a command by part, ms:", "", *markdown_lines(heads, rows)]


def picture_lines(runs: NamedPeerRuns) -> list[str]:
    """The parts of each system, a bar for each that it has: medians of the rounds."""
    lines: list[str] = []
    for load in (AT_MANY, SATURATION):
        groups = [
            (
                name,
                [(part, median(run.costs[load].by_part[part] for run in made)) for part in _parts_of(made)],
            )
            for name, made in runs
            if made
        ]
        lines += ["", *bar_lines(f"{load}, ms of processor time a command", groups)]
    return lines


def fresh_lines(runs: NamedPeerRuns) -> list[str]:
    """From the answer until the row has its version, and until a read with its token answers."""
    heads = ("", *(f"{rate}/s: write p50, visible p50, p99, ms" for rate in RATES))
    rows = []
    for name, made in runs:
        rows.append([f"{name}, the row by SQL", *_seen_cells([run.rows for run in made])])
        if any(run.by_token for run in made):
            rows.append([f"{name}, a read with its token", *_seen_cells([run.by_token for run in made])])
    return ["From the answer until it is visible:", "", *markdown_lines(heads, rows)]


def lost_lines(runs: NamedPeerRuns) -> list[str]:
    """Each read model beside its log after all rounds; how far it was behind; who could not keep up."""
    lines = []
    for name, made in runs:
        for run in made:
            lines.append(
                f"- {name}: {run.answered_rate:,.0f} answers/s, everything in the read model"
                f" {run.behind_seconds:.1f} s after the last answer."
                + ("" if run.keeps_up else f" It could not do {MANY} commands/s.")
            )
            lines += [f"  - after {load}: {_lost(found)}" for load, found in run.compared.items()]
    return ["Read models beside their logs:", "", *lines]


def _lost(found: Compared) -> str:
    if not found.lost:
        return f"all {found.products:,} products are as in the log."
    return (
        f"of {found.products:,} products {found.missing} are missing, {found.behind} have an older version"
        f" than the log, {found.wrong} another price or fewer events."
    )


def _cost_cells(made: Sequence[PeerRun], load: str) -> list[str]:
    costs = [run.costs[load] for run in made]
    parts = [[cost.by_part[part] for cost in costs if part in cost.by_part] for part in PARTS]
    return [
        middle([cost.total for cost in costs]),
        *(middle(each) for each in parts),
        middle([cost.other_cores for cost in costs]),
    ]


def _parts_of(made: Sequence[PeerRun]) -> list[str]:
    return [part for part in PARTS if all(part in run.costs[SATURATION].by_part for run in made)]


def _seen_cells(made: Sequence[Mapping[int, Outcome]]) -> list[str]:
    return [_seen([each[rate] for each in made if rate in each]) for rate in RATES]


def _seen(outcomes: Sequence[Outcome]) -> str:
    figures = (
        [each.answered_at(50) for each in outcomes],
        [each.visible_at(50) for each in outcomes],
        [each.visible_at(99) for each in outcomes],
    )
    return ", ".join(map(middle, figures))
