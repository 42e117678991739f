"""What a command costs in all processes together, and how many of them two cores carry.

The stages are measured by themselves in other suites; here all run at once, as on the machine of a user:
small batches, wake-ups and round trips between processes count. With `BENCH_BEFORE` the commit before is
measured in the same rounds, and is the yardstick.
"""

import time
from collections.abc import Callable, Sequence

from tests.benchmarks.bench_servers import BenchServers
from tests.benchmarks.checkouts import HOW_TO_GET_BEFORE, THIS, checkout_before
from tests.benchmarks.commands_http import HOST, SCRIPT, serving_crud
from tests.benchmarks.cost_run import MANY, SATURATION, CostRun, cost_run
from tests.benchmarks.cost_sheet import (
    NamedRuns,
    behind_lines,
    busy_lines,
    cost_lines,
    idle_lines,
    picture_lines,
)
from tests.benchmarks.process_usage import processor_seconds, spent
from tests.benchmarks.runs import Runs
from tests.benchmarks.saturation import CONNECTIONS
from tests.benchmarks.table import Contender, Table
from tests.benchmarks.tools import require
from tests.benchmarks.whole_system import POSTGRES
from tests.benchmarks.wrk import request_rate

IDLE_PERCENT_MAX = 6.0
SECONDS_MIN = 10.0
Figure = Callable[[CostRun], float]


async def tables(servers: BenchServers, seconds: float) -> list[Table]:
    """All of them from one run of each checkout a round."""
    require("wrk", "wrk")
    seconds = max(SECONDS_MIN, seconds)
    checkouts = [each for each in (checkout_before(), THIS) if each is not None]
    runs = [
        (each.name, Runs(lambda each=each: cost_run(servers, each, seconds)))  # type: ignore[misc]
        for each in checkouts
    ]

    async def crud() -> float:
        return await crud_milliseconds(servers, seconds)

    async def bound() -> float:
        return IDLE_PERCENT_MAX

    def made() -> NamedRuns:
        return [(name, each.made) for name, each in runs]

    def busy() -> list[str]:
        return busy_lines(made(), has_other_job=servers.has_other_job)

    def against_before(figure: Figure, target: float) -> Sequence[Contender]:
        return _rows(runs, figure, target if len(runs) > 1 else None)

    def against(yardstick: Contender, figure: Figure, target: float) -> Sequence[Contender]:
        return [yardstick, *_rows(runs, figure, target)]

    how = () if len(runs) > 1 else ("", HOW_TO_GET_BEFORE)
    return [
        Table(
            "Cost: processor time a command, all parts, 200/s with a read each",
            "ms",
            against_before(lambda run: run.by_load[MANY.name].of_taken_commands(), 0.45),
            lower_is_better=True,
            below=lambda: [*cost_lines(made()), *picture_lines(made()), *busy(), *how],
        ),
        Table(
            f"Sustained rate: commands until every projection has applied them, {CONNECTIONS} clients",
            "commands/s",
            against_before(lambda run: run.sustained_rate, 2.2),
            below=lambda: [*behind_lines(made()), *busy(), *how],
        ),
        Table(
            f"Cost at saturation, {CONNECTIONS} clients",
            "ms of processor time",
            against(
                Contender("CRUD service and PostgreSQL, an insert", crud),
                lambda run: run.by_load[SATURATION].total,
                0.5,
            ),
            lower_is_better=True,
        ),
        Table(
            "Idle: our processes and the broker",
            "% of a core",
            against(Contender("bound", bound), lambda run: run.idle_total, 1.0),
            lower_is_better=True,
            below=lambda: idle_lines(made()),
        ),
    ]


def _rows(
    runs: Sequence[tuple[str, Runs[CostRun]]], figure: Figure, target: float | None
) -> Sequence[Contender]:
    """One for each checkout; the target is that of the last one, this checkout."""
    last = len(runs) - 1
    return [
        Contender(name, each.figure(figure), target if number == last else None)
        for number, (name, each) in enumerate(runs)
    ]


async def crud_milliseconds(servers: BenchServers, seconds: float) -> float:
    """Processor time of the comparison service and its PostgreSQL for one insert."""
    pid = servers.postgres.pid
    assert pid is not None
    async with serving_crud(servers) as (port, service):
        url, pids = f"http://{HOST}:{port}/v1/products", {"service": service, POSTGRES: pid}

        async def load(seconds: float) -> float:
            return await request_rate(
                url, seconds, script=SCRIPT, arguments=(f"{time.time_ns():x}",), connections=CONNECTIONS
            )

        await load(1)
        before = processor_seconds(pids)
        commands = await load(seconds) * round(seconds)
        return sum(spent(before, processor_seconds(pids)).values()) * 1000 / commands
