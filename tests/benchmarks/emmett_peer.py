"""The peer Emmett (npm): fastify before its command handler, and its consumer with a projection of documents.

Its packages are installed when this runs, as its lock file names them; no script of a package runs.
"""

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from deploy.local.ports import free_port
from deploy.local.server import Command
from tests.benchmarks.bench_servers import BenchServers
from tests.benchmarks.checkouts import REPOSITORY
from tests.benchmarks.peer_system import Peer, PeerSystem, peer_system
from tests.benchmarks.read_model import Statements
from tests.benchmarks.tools import require

_SOURCES = Path(__file__).with_name("emmett")
_INSTALLED = REPOSITORY / "build" / "benchmarks" / "emmett"
_LOCK = "package-lock.json"
# npm writes it when everything is installed.
_COMPLETE = Path("node_modules") / ".package-lock.json"

# A stream is "product-" and the product's id.
STATEMENTS = Statements(
    log="""
        SELECT substr(stream_id, 9)::uuid, max(stream_position),
            (array_agg((message_data ->> 'amount')::numeric ORDER BY stream_position DESC))[1], count(*)
        FROM emt_messages GROUP BY stream_id
    """,
    rows="""
        SELECT _id::uuid, (data ->> 'version')::int, (data ->> 'amount')::numeric, (data ->> 'events')::int
        FROM products
    """,
    versions="SELECT _id::uuid, (data ->> 'version')::int FROM products WHERE _id = ANY($1::uuid[]::text[])",
    applied="SELECT coalesce(sum((data ->> 'events')::int), 0) FROM products",
)


@asynccontextmanager
async def emmett_system(servers: BenchServers) -> AsyncIterator[PeerSystem]:
    """Both processes on a new database."""
    node = require("node", "nodejs")
    folder = await installed_emmett()
    database, port = servers.empty_database(), free_port()
    settings = {"NODE_ENV": "production"}
    peer = Peer(
        "emmett",
        Command([node, "api.mjs", database.owner, str(port)], settings, folder),
        Command([node, "projection.mjs", database.owner], settings, folder),
        STATEMENTS,
    )
    async with peer_system(servers, peer, database.owner, database.name, port) as system:
        yield system


async def installed_emmett() -> Path:
    """A folder with our files and the packages. Raises RuntimeError if npm fails."""
    lock, kept = (_SOURCES / _LOCK).read_bytes(), _INSTALLED / _LOCK
    is_new = not (_INSTALLED / _COMPLETE).exists() or kept.read_bytes() != lock
    shutil.copytree(_SOURCES, _INSTALLED, dirs_exist_ok=True)
    if is_new:
        npm = require("npm", "npm")
        quiet = ("--ignore-scripts", "--no-audit", "--no-fund", "--silent")
        process = await asyncio.create_subprocess_exec(npm, "ci", *quiet, cwd=_INSTALLED)
        if await process.wait() != 0:
            raise RuntimeError(f"npm ci failed in {_INSTALLED}")
    return _INSTALLED
