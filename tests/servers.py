"""The servers of a test session: one each of PostgreSQL, Redis, Kafka and OpenSearch, started only if a test
asks for it.

They are the servers of `make up` on free ports. With TEST_SERVERS=containers the first three come from images
instead; tests cannot tell the difference.
"""

import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from deploy.local.kafka import KafkaServer
from deploy.local.opensearch import OpenSearchServer
from deploy.local.ports import free_port
from deploy.local.postgres import LOG_READER, OWNER, PROJECTOR, READER, WRITER, PostgresServer
from deploy.local.redis import RedisServer
from tests.run_folder import RunFolder, sweep
from tests.superuser import close_superuser

POSTGRES, REDIS, KAFKA = "postgres_server", "redis_server", "kafka_server"
OPENSEARCH = "opensearch_server"
INSTALLATIONS_REDIS_DATABASE = 15
# Parts of memory that its processes share are files in its data folder: they disappear with it after a kill.
# Each copy of a database is two checkpoints, whose lines would push all others out of a failed test's report.
POSTGRES_SETTINGS = {"dynamic_shared_memory_type": "mmap", "log_checkpoints": "off"}


class RunningServer(Protocol):
    """What faults need: ports and data stay the same over all of these."""

    def start(self) -> None: ...
    def stop(self) -> None: ...
    def kill(self) -> None: ...
    def pause(self) -> None: ...
    def resume(self) -> None: ...
    def restart(self) -> None: ...
    def ensure_running(self) -> None: ...


@contextmanager
def paused(server: RunningServer) -> Iterator[None]:
    """Its connections stay, and nothing answers, until the end of the block."""
    server.pause()
    try:
        yield
    finally:
        server.resume()


@dataclass(frozen=True)
class DatabaseDsns:
    """One database as each role reaches it."""

    name: str
    owner: str
    writer: str
    log_reader: str
    projector: str
    reader: str


def dsns_of(server: PostgresServer, database: str) -> DatabaseDsns:
    """The addresses of a database for all roles."""
    by_role = (server.dsn(role, database) for role in (OWNER, WRITER, LOG_READER, PROJECTOR, READER))
    return DatabaseDsns(database, *by_role)


class SessionServers:
    """Starts servers in the background as soon as it is known which are needed, all at the same time."""

    def __init__(self, parent: Path | None = None) -> None:
        """Their data lie in a new folder of `parent`, by default of the temporary one, which is on disk."""
        sweep()
        self._claimed = RunFolder(parent)
        self.folder = self._claimed.path
        self._pool = ThreadPoolExecutor(max_workers=3, thread_name_prefix="server-start")
        self._starting: dict[str, Future[RunningServer]] = {}
        self._made: list[RunningServer] = []
        makers = _containers if os.environ.get("TEST_SERVERS") == "containers" else _embedded
        self._makers = {**makers(self.folder), OPENSEARCH: lambda: _opensearch(self.folder)}

    def begin(self, names: Iterable[str]) -> None:
        """Start these without waiting."""
        for name in names:
            if name in self._makers and name not in self._starting:
                self._starting[name] = self._pool.submit(self._start, self._makers[name])

    def get(self, name: str) -> RunningServer:
        """The started server. Raises what its start raised."""
        self.begin([name])
        return self._starting[name].result()

    def close(self) -> None:
        """Stop all and remove their data."""
        self._pool.shutdown(wait=True)
        try:
            for server in self._made:
                close_superuser(server)
            with ThreadPoolExecutor(max_workers=3) as pool:
                for outcome in [pool.submit(server.stop) for server in self._made]:
                    outcome.result()
        finally:
            self._claimed.close()

    def _start(self, make: Callable[[], RunningServer]) -> RunningServer:
        server = make()
        self._made.append(server)
        server.start()
        return server


def _embedded(folder: Path) -> dict[str, Callable[[], RunningServer]]:
    return {
        POSTGRES: lambda: PostgresServer(
            folder / "postgres", free_port(), folder / "postgres.log", settings=POSTGRES_SETTINGS
        ),
        REDIS: lambda: RedisServer(folder / "redis", free_port(), folder / "redis.log"),
        KAFKA: lambda: KafkaServer(folder / "kafka", free_port(), free_port(), folder / "kafka.log"),
    }


def _opensearch(folder: Path) -> RunningServer:
    return OpenSearchServer(folder / "opensearch", free_port(), free_port(), folder / "opensearch.log")


def _containers(_folder: Path) -> dict[str, Callable[[], RunningServer]]:
    from tests import container_servers

    return {
        POSTGRES: container_servers.PostgresContainer,
        REDIS: container_servers.RedisContainer,
        KAFKA: container_servers.KafkaContainer,
    }
