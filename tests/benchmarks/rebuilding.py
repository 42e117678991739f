"""Rebuilding `product_view` from the log, against the online projection and against one set-based SQL
statement.

1,000,000 events of 100,000 products (`--large`: ten times as many, against itself). The rebuild is the
operators' command from the start of its process to its end, with its indexes and its switch, and without the
comparison with a live view (there is none here). The SQL rebuild writes the same rows from the same events,
as a team without a fold would do; it works only for these events. The rows are compared afterwards.
"""

import asyncio
import json
import os
import random
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import asyncpg
import msgspec
from uuid_utils.compat import uuid4, uuid7

from shared.contract.codec import encode_event
from shared.contract.recorded_event import EventMetadata
from tests.benchmarks.bench_servers import BenchServers
from tests.benchmarks.processes import python
from tests.benchmarks.projecting import VERSIONS, make_event, product_view_rate
from tests.benchmarks.table import Contender, Table
from tests.servers import DatabaseDsns

PRODUCTS = 100_000
LARGE = "BENCH_LARGE"
ROWS_PER_COPY = 50_000
SQL = Path(__file__).with_name("rebuild") / "set_based.sql"
COLUMNS = (
    "position", "product_id", "stream_version", "schema_version", "event_type", "data", "metadata",
    "recorded_at",
)  # fmt: skip


async def tables(servers: BenchServers, seconds: float) -> list[Table]:
    """`seconds` does not matter: the work is fixed."""
    log = await filled_log(servers, PRODUCTS)
    result = [
        Table(
            "Rebuilding product_view, 1,000,000 events of 100,000 products",
            "events/s",
            [
                Contender("online from Kafka", lambda: product_view_rate(servers)),
                Contender("rebuild product_view", lambda: rebuild_rate(servers, log, PRODUCTS), 5.0),
            ],
        ),
        Table(
            "The same against SQL",
            "events/s",
            [
                Contender("one set-based SQL rebuild", lambda: sql_rate(servers, log, PRODUCTS)),
                Contender("rebuild product_view", lambda: rebuild_rate(servers, log, PRODUCTS), 0.3),
            ],
        ),
    ]
    if os.environ.get(LARGE):
        large = await filled_log(servers, PRODUCTS * 10)
        result.append(
            Table(
                "Ten times the events",
                "events/s",
                [
                    Contender("1,000,000 events", lambda: rebuild_rate(servers, log, PRODUCTS)),
                    Contender("10,000,000 events", lambda: rebuild_rate(servers, large, PRODUCTS * 10), 0.8),
                ],
            )
        )
    return result


async def filled_log(servers: BenchServers, products: int) -> DatabaseDsns:
    """An event store with ten events a product, each round in another order of products."""
    log = await servers.event_store()
    connection = await asyncpg.connect(log.owner)
    ids = [uuid7() for _ in range(products)]
    caused = str(uuid4())
    metadata = msgspec.json.encode(EventMetadata(uuid4(), caused, caused, caused, "anonymous"))
    recorded_at, position = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC), 0
    for version in range(1, VERSIONS + 1):
        random.shuffle(ids)
        for start in range(0, products, ROWS_PER_COPY):
            rows = []
            for product_id in ids[start : start + ROWS_PER_COPY]:
                position += 1
                stored = encode_event(make_event(version, product_id))
                rows.append(
                    (position, product_id, version, stored.schema_version, stored.event_type, stored.data,
                     metadata, recorded_at)
                )  # fmt: skip
            await connection.copy_records_to_table(
                "events", schema_name="catalogue", records=rows, columns=COLUMNS
            )
        if position > 4_000_000:
            await connection.execute("SELECT catalogue.ensure_partitions()")
    await connection.execute(
        "INSERT INTO catalogue.streams SELECT product_id, max(stream_version), min(position), max(position)"
        " FROM catalogue.events GROUP BY 1"
    )
    await connection.execute("VACUUM ANALYZE catalogue.events")
    await connection.close()
    servers.postgres.run_sql("CHECKPOINT")
    return log


async def rebuild_rate(servers: BenchServers, log: DatabaseDsns, products: int) -> float:
    """The whole of `python -m projector rebuild product_view`."""
    view = await servers.read_model()
    environment = {**os.environ, "READ_MODEL_DSN": view.projector, "EVENT_STORE_READ_DSN": log.log_reader}
    started = time.perf_counter()
    process = await asyncio.create_subprocess_exec(
        *python("-m", "projector", "rebuild", "product_view", "--without-comparison", "--json"),
        env=environment,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    _, errors = await process.communicate()
    elapsed = time.perf_counter() - started
    if process.returncode != 0:
        raise RuntimeError(f"rebuild ended with {process.returncode}: {errors.decode()[-500:]}")
    await _check(view, products)
    return products * VERSIONS / elapsed


async def sql_rate(servers: BenchServers, log: DatabaseDsns, products: int) -> float:
    """One statement per table over the events in the same database, then indexes; no data leaves the
    server.
    """
    owner = await asyncpg.connect(log.owner)
    await owner.execute("DROP SCHEMA IF EXISTS bench CASCADE; CREATE SCHEMA bench")
    started = time.perf_counter()
    await owner.execute(SQL.read_text())
    elapsed = time.perf_counter() - started
    found = await owner.fetchrow(
        "SELECT (SELECT count(*) FROM bench.product_view), (SELECT count(*) FROM bench.product_view_variant),"
        " (SELECT document FROM bench.product_view LIMIT 1)"
    )
    await owner.execute("DROP SCHEMA bench CASCADE")
    await owner.close()
    if found[0] != products or found[1] != products or json.loads(found[2])["version"] != VERSIONS:
        raise RuntimeError(f"the SQL rebuild is not complete: {found}")
    return products * VERSIONS / elapsed


async def _check(view: DatabaseDsns, products: int) -> None:
    connection = await asyncpg.connect(view.owner)
    found = await connection.fetchval(
        "SELECT count(*) FROM views.product_view WHERE stream_version = $1 AND document IS NOT NULL", VERSIONS
    )
    variants = await connection.fetchval("SELECT count(*) FROM views.product_view_variant")
    await connection.close()
    if (found, variants) != (products, products):
        raise RuntimeError(f"{found} products and {variants} variants are there, not {products}")


if __name__ == "__main__":
    sys.exit("run it with: python -m tests.benchmarks rebuilding")
