"""One system of the suite `peers`, running: its address, its parts, and its read model."""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from deploy.local.http_answer import answers_ok
from deploy.local.ports import HOST
from deploy.local.server import Command, Server
from tests.benchmarks.bench_servers import BenchServers
from tests.benchmarks.light_client import LightClient
from tests.benchmarks.mixed_commands import See
from tests.benchmarks.read_model import ReadModel, Statements, reading
from tests.benchmarks.whole_system import POSTGRES
from tests.databases import drop_database

WRITE, PROJECTION = "write process", "projection process"


@dataclass(frozen=True)
class PeerSystem:
    """`read_with_token`: how a reader of this system waits for a write, if it has such reads."""

    url: str
    commands: LightClient
    pids: Mapping[str, int]
    read_model: ReadModel
    read_with_token: See | None = None


class PeerProcess(Server):
    """A process of a peer: ready if its port answers, or at once if it has none."""

    def __init__(self, name: str, command: Command, log_file: Path, port: int | None = None) -> None:
        super().__init__(name, log_file)
        self._command, self._port = command, port

    def command(self) -> Command:
        """The same at every start."""
        return self._command

    def is_ready(self) -> bool:
        """GET /readyz answers 200."""
        return self.pid is not None if self._port is None else answers_ok(self._port, "/readyz")


@dataclass(frozen=True)
class Peer:
    """How a peer is started: two commands on one database, and the tables they make in it."""

    name: str
    write: Command
    projection: Command
    statements: Statements


@asynccontextmanager
async def peer_system(
    servers: BenchServers, peer: Peer, dsn: str, database: str, port: int
) -> AsyncIterator[PeerSystem]:
    """Its write process first, because that makes the tables of the log; then its projection, which makes its
    table by itself: at its start, or when it applies the first event.
    """
    folder = servers.folder / f"{peer.name}-{time.time_ns():x}"
    write = PeerProcess(WRITE, peer.write, folder / "write.log", port)
    projection = PeerProcess(PROJECTION, peer.projection, folder / "projection.log")
    async with AsyncExitStack() as stack:
        stack.push_async_callback(asyncio.to_thread, drop_database, servers.postgres, database)
        for process in (write, projection):
            stack.push_async_callback(asyncio.to_thread, process.stop)
            await asyncio.to_thread(process.start)
        read_model = await stack.enter_async_context(reading(dsn, dsn, peer.statements))
        commands = LightClient(HOST, port)
        stack.callback(commands.close)
        pids = pids_of({WRITE: write.pid, PROJECTION: projection.pid, POSTGRES: servers.postgres.pid})
        yield PeerSystem(f"http://{HOST}:{port}", commands, pids, read_model)


def pids_of(found: Mapping[str, int | None]) -> dict[str, int]:
    """Raises RuntimeError if one has ended."""
    known = {name: pid for name, pid in found.items() if pid is not None}
    if ended := sorted(found.keys() - known.keys()):
        raise RuntimeError(f"no process: {', '.join(ended)}")
    return known
