"""`make bench`: measure all contenders in turn, and print the tables.

`python -m tests.benchmarks [SUITE ...] [--rounds N] [--seconds S] [--other-job]`. If a program that a suite
needs (wrk, nginx) is missing, its name is printed, and the other suites run.
"""

import argparse
import asyncio
import importlib
import platform
import sys
from pathlib import Path

from shared.ops.program import end_with
from tests.benchmarks.bench_servers import BenchServers, bench_servers
from tests.benchmarks.table import run_table
from tests.benchmarks.tools import MissingTool

SUITES = (
    "append",
    "two_logs",
    "commands_http",
    "reads_http",
    "lists_http",
    "cache_aside",
    "searching",
    "search_updates",
    "traces",
    "rate_limits",
    "access",
    "projecting",
    "rebuilding",
    "cache_filling",
    "exporting",
    "parking_cost",
    "relay",
    "freshness",
    "cost",
    "peers",
    "black_hole",
    "hot_tables",
    "log_partitions",
    "past_products",
    "event_feed",
    "webhooks",
)
# Minutes of loading before they measure: only if they are named.
LONG_SUITES = ("million", "opensearch")
OTHER_JOB = ", beside a process that keeps one core busy"


def main() -> int:
    """Run the given suites, by default all but the long ones."""
    known = (*SUITES, *LONG_SUITES)
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("suites", nargs="*", metavar="SUITE", help=f"of {', '.join(known)}")
    parser.add_argument("--rounds", type=int, default=3, help="interleaved rounds per table (3)")
    parser.add_argument("--seconds", type=float, default=4.0, help="seconds per measurement (4)")
    parser.add_argument(
        "--other-job", action="store_true", help="beside a process that keeps one core busy meanwhile"
    )
    given = parser.parse_args()
    unknown = set(given.suites) - set(known)
    if unknown:
        parser.error(f"no such suite: {', '.join(sorted(unknown))}")
    with bench_servers(with_other_job=given.other_job) as servers:
        lines = asyncio.run(_run(servers, given.suites or list(SUITES), given.rounds, given.seconds))
    print("\n".join([_machine() + (OTHER_JOB if given.other_job else ""), *lines]))
    return 0 if not any("MISSED" in line for line in lines) else 3


async def _run(servers: BenchServers, suites: list[str], rounds: int, seconds: float) -> list[str]:
    lines: list[str] = []
    for name in suites:
        try:
            suite = importlib.import_module(f"tests.benchmarks.{name}")
            for table in await suite.tables(servers, seconds):
                lines += await run_table(table, rounds)
        except MissingTool as missing:
            lines += ["", f"### {name}", "", f"not run: {missing}"]
            print(f"  {name}: not run: {missing}", file=sys.stderr)
    return lines


def _machine() -> str:
    cpu = next(
        (line.split(":")[1].strip() for line in _cpuinfo() if line.startswith("model name")),
        platform.machine(),
    )
    cores = sum(line.startswith("processor") for line in _cpuinfo())
    return (
        f"{cpu}, {cores} cores, {platform.system()} {platform.release()}, Python {platform.python_version()}"
    )


def _cpuinfo() -> list[str]:
    path = Path("/proc/cpuinfo")
    return path.read_text().splitlines() if path.exists() else []


if __name__ == "__main__":
    end_with(main)
