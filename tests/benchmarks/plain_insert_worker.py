"""One client that inserts event-sized rows, each its own transaction: DSN, clients (1), seconds -> JSON."""

import json
import sys
import time
from pathlib import Path
from statistics import median

import uvloop
from uuid_utils.compat import uuid7

from shared.postgres.pool import connect

DATA = b"x" * 330
METADATA = b"x" * 230
INSERT = """INSERT INTO plain_event (product_id, stream_version, event_type, data, metadata, recorded_at)
VALUES ($1, $2, $3, $4, $5, clock_timestamp())"""


async def main(dsn: str, seconds: float) -> dict[str, float]:
    """A closed loop over one prepared statement."""
    connection = await connect(dsn, application_name="bench")
    await connection.execute((Path(__file__).with_name("pgbench") / "plain_table.sql").read_text())
    insert = await connection.prepare(INSERT)
    until = time.perf_counter() + seconds
    latencies = []
    while (started := time.perf_counter()) < until:
        await insert.fetch(uuid7(), 1, "product-created", DATA, METADATA)
        latencies.append(time.perf_counter() - started)
    await connection.close()
    return {"rate": len(latencies) / seconds, "median_milliseconds": median(latencies) * 1000}


if __name__ == "__main__":
    print(json.dumps(uvloop.run(main(sys.argv[1], float(sys.argv[3])))))
