"""This system beside two libraries for event sourcing: the same commands, one read model.

A command is an HTTP request for all: one create in five, the rest price changes. Each is driven as its
documentation does it, on the same PostgreSQL, and its read model is kept by a process of its own. This one
also has idempotency keys, unique SKUs and slugs, and its history on Kafka; the peers have none of these.
"""

from collections.abc import Callable
from functools import partial

from tests.benchmarks.bench_servers import BenchServers
from tests.benchmarks.emmett_peer import emmett_system
from tests.benchmarks.eventsourcing_peer import eventsourcing_system
from tests.benchmarks.own_peer import own_system
from tests.benchmarks.peer_run import SATURATION, PeerRun, Start, peer_run
from tests.benchmarks.peer_sheet import NamedPeerRuns, fresh_lines, lost_lines, part_lines, picture_lines
from tests.benchmarks.runs import Runs
from tests.benchmarks.saturation import CONNECTIONS
from tests.benchmarks.table import Contender, Table
from tests.benchmarks.tools import require

SECONDS_MIN = 10.0
Figure = Callable[[PeerRun], float]


async def tables(servers: BenchServers, seconds: float) -> list[Table]:
    """All of them from one run of each system a round."""
    require("wrk", "wrk")
    starts: dict[str, Start] = {
        "`eventsourcing`, projection runner": partial(eventsourcing_system, servers),
        "Emmett, consumer": partial(emmett_system, servers),
        "this one, `product_view` alone": partial(own_system, servers, is_whole=False),
        "this one, all projections and reads": partial(own_system, servers, is_whole=True),
    }
    runs = {name: Runs(partial(peer_run, start, max(SECONDS_MIN, seconds))) for name, start in starts.items()}

    def made() -> NamedPeerRuns:
        return [(name, each.made) for name, each in runs.items()]

    def rows(of: Figure) -> list[Contender]:
        return [Contender(name, each.figure(of)) for name, each in runs.items()]

    return [
        Table(
            f"Peers: commands until the read model has them, {CONNECTIONS} clients",
            "commands/s",
            rows(lambda run: run.sustained_rate),
            below=lambda: lost_lines(made()),
        ),
        Table(
            f"Peers: processor time a command, all parts, {CONNECTIONS} clients",
            "ms",
            rows(lambda run: run.costs[SATURATION].total),
            lower_is_better=True,
            below=lambda: [
                *part_lines(made()),
                *picture_lines(made()),
                "",
                *fresh_lines(made()),
            ],
        ),
    ]
