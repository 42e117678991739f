"""The peer `eventsourcing` (PyPI): FastAPI and uvicorn before its application, and its projection runner."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from deploy.local.ports import HOST, free_port
from deploy.local.server import Command
from tests.benchmarks.bench_servers import BenchServers
from tests.benchmarks.checkouts import REPOSITORY
from tests.benchmarks.eventsourcing_products import environment_of
from tests.benchmarks.peer_system import Peer, PeerSystem, peer_system
from tests.benchmarks.processes import python
from tests.benchmarks.read_model import Statements

# States are JSON in `bytea`; the names of tables are those that the library makes of its classes' names.
STATEMENTS = Statements(
    log="""
        SELECT originator_id, max(originator_version),
            (array_agg((convert_from(state, 'UTF8')::jsonb ->> 'amount')::numeric
                ORDER BY originator_version DESC))[1],
            count(*)
        FROM products_events GROUP BY originator_id
    """,
    rows="SELECT id, version, amount::numeric, events FROM products",
    versions="SELECT id, version FROM products WHERE id = ANY($1)",
    applied="SELECT coalesce(sum(events), 0) FROM products",
)


@asynccontextmanager
async def eventsourcing_system(servers: BenchServers) -> AsyncIterator[PeerSystem]:
    """Both processes on a new database."""
    database, port = servers.empty_database(), free_port()
    environment = environment_of(database.owner)
    quiet = ("--no-access-log", "--log-level", "warning")
    app = ("uvicorn", "tests.benchmarks.eventsourcing_api:app", "--host", HOST, "--port", str(port), *quiet)
    peer = Peer(
        "eventsourcing",
        Command(python("-m", *app), environment, REPOSITORY),
        Command(python("-m", "tests.benchmarks.eventsourcing_projection"), environment, REPOSITORY),
        STATEMENTS,
    )
    async with peer_system(servers, peer, database.owner, database.name, port) as system:
        yield system
