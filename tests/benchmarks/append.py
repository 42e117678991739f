"""Append: group commit through the event store adapter against pgbench writing the same rows.

64 clients, one command each, 1 create in 5, idempotency keys on, fsync and synchronous_commit on.
pgbench writes event, stream row and key row (on a create the slug's and SKU's rows, too) in a transaction.
"""

import asyncio
import json
import re
import sys
from functools import partial
from pathlib import Path

import asyncpg

from deploy.local.postgres import OWNER, find_programs
from tests.benchmarks.bench_servers import BenchServers
from tests.benchmarks.table import Contender, Table
from tests.servers import DatabaseDsns

CLIENTS = 64
SCRIPTS = Path(__file__).with_name("pgbench")


async def tables(servers: BenchServers, seconds: float) -> list[Table]:
    """Throughput at 64 clients, and the latency of one."""
    ours = partial(append_rate, servers, seconds=seconds)
    bench = partial(pgbench_rate, servers, seconds=seconds)
    throughput = Table(
        "Append, 64 clients, durable",
        "commands/s",
        [
            Contender(
                "pgbench -M prepared, same rows, one transaction each", partial(bench, "same_rows.sql")
            ),
            Contender("event store, 1 process x 64 clients", partial(ours, [CLIENTS]), 1.5),
            Contender("event store, 2 processes x 32 clients", partial(ours, [CLIENTS // 2] * 2)),
            Contender("pgbench, same rows, pipelined", partial(bench, "same_rows_pipelined.sql")),
            Contender("pgbench, one plain row per transaction", partial(bench, "plain_row.sql")),
            Contender("eventsourcing 9.5 (16 threads), as documented", partial(peer_rate, servers, seconds)),
        ],
    )
    latency = Table(
        "Append, one idle client",
        "ms per command",
        [
            Contender("plain INSERT through asyncpg", partial(plain_insert_milliseconds, servers, seconds)),
            Contender("event store", partial(append_milliseconds, servers, seconds), 2.0),
        ],
        lower_is_better=True,
    )
    return [throughput, latency]


async def append_rate(servers: BenchServers, clients: list[int], *, seconds: float) -> float:
    """Commands per second of all processes together."""
    dsns = await servers.event_store()
    results = await asyncio.gather(
        *(worker("append_worker", dsns.writer, count, seconds) for count in clients)
    )
    await _check_log(dsns, int(sum(result["commands"] for result in results)))
    return sum(result["rate"] for result in results)


async def append_milliseconds(servers: BenchServers, seconds: float) -> float:
    """Median latency of one client."""
    dsns = await servers.event_store()
    return (await worker("append_worker", dsns.writer, 1, seconds))["median_milliseconds"]


async def peer_rate(servers: BenchServers, seconds: float) -> float:
    """A well-known Python library on the same server."""
    return (await worker("eventsourcing_worker", servers.empty_database().owner, 16, seconds))["rate"]


async def plain_insert_milliseconds(servers: BenchServers, seconds: float) -> float:
    """Median latency of one prepared INSERT of an event-sized row, each its own transaction."""
    dsns = servers.empty_database()
    return (await worker("plain_insert_worker", dsns.owner, 1, seconds))["median_milliseconds"]


async def worker(module: str, dsn: str, clients: int, seconds: float) -> dict[str, float]:
    """Run a contender in a process of its own; it prints one JSON object."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", f"tests.benchmarks.{module}", dsn, str(clients), str(seconds)),
        stdout=asyncio.subprocess.PIPE,
    )
    output, _ = await process.communicate()
    if process.returncode != 0:
        raise RuntimeError(f"{module} ended with {process.returncode}")
    result: dict[str, float] = json.loads(output.splitlines()[-1])
    return result


async def pgbench_rate(servers: BenchServers, script: str, *, seconds: float) -> float:
    """Transactions per second of pgbench with a script from `pgbench/`."""
    dsns = await servers.event_store()
    connection = await asyncpg.connect(dsns.owner)
    await connection.execute((SCRIPTS / "plain_table.sql").read_text())
    await connection.close()
    process = await asyncio.create_subprocess_exec(
        str(find_programs() / "pgbench"),
        *("-n", "-M", "prepared", "-c", str(CLIENTS), "-j", "2", "-T", str(max(1, round(seconds)))),
        *("-D", "n=-1", "-f", str(SCRIPTS / script), "-h", "127.0.0.1", "-p", str(servers.postgres.port)),
        *("-U", OWNER, dsns.name),
        env={"PGPASSWORD": OWNER},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    output, errors = await process.communicate()
    rate = re.search(rb"tps = ([0-9.]+)", output)
    if process.returncode != 0 or rate is None or b"number of failed transactions: 0 " not in output:
        raise RuntimeError(f"pgbench failed: {errors.decode()[-500:]}")
    return float(rate.group(1))


async def _check_log(dsns: DatabaseDsns, commands: int) -> None:
    """The measured events are in the log: if events are lost, the result is worth nothing."""
    connection = await asyncpg.connect(dsns.owner)
    stored = await connection.fetchval("SELECT count(*) FROM catalogue.events")
    await connection.close()
    if stored < commands:
        raise RuntimeError(f"{commands} commands acknowledged, {stored} events stored")
