"""The whole system in one run: what a stage costs by itself says little about all stages on one machine.

Command API, relay, projector and query API as children, with the settings of `make up`: seven projections,
the embedded search, a mail server, log lines into files. Databases, topics and cache keys are fresh, and
removed afterwards, so that no run pays for the one before.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from redis.asyncio import Redis

from deploy.local.mail import MailServer
from deploy.local.ports import HOST, free_port
from deploy.local.process import Job, Process
from deploy.local.server import Command
from deploy.local.settings import PROCESSES, ProcessKind
from deploy.local.stack import CAUGHT_RECIPIENT
from tests.benchmarks.bench_servers import BenchServers
from tests.benchmarks.checkouts import REPOSITORY, THIS, Checkout
from tests.benchmarks.light_client import LightClient
from tests.databases import drop_database
from tests.end_to_end.system import in_parallel
from tests.servers import DatabaseDsns

REDIS_DATABASE = 1
BROKER, REDIS, POSTGRES = "broker", "Redis", "PostgreSQL"
NAMES = {"command-api": "command API", "relay": "relay", "projector": "projector", "query-api": "query API"}
PARTS = (*NAMES.values(), BROKER, REDIS, POSTGRES)
_PORTS = ("COMMAND_PORT", "QUERY_PORT", *(kind.ops_port for kind in PROCESSES.values()))


@dataclass(frozen=True)
class System:
    """A running system: its APIs, its log, and the process id of each part."""

    commands: LightClient
    queries: LightClient
    command_url: str
    log: DatabaseDsns
    view: DatabaseDsns
    pids: Mapping[str, int]


class _CheckoutProcess(Process):
    """A process of another checkout, with its interpreter."""

    python = ""

    def command(self) -> Command:
        return _by(self.python, super().command())


class _CheckoutJob(Job):
    """A command of another checkout, with its interpreter."""

    python = ""

    def command(self) -> Command:
        return _by(self.python, super().command())


@asynccontextmanager
async def whole_system(
    servers: BenchServers,
    checkout: Checkout = THIS,
    *,
    projections: Sequence[str] = (),
    without: Collection[str] = (),
) -> AsyncIterator[System]:
    """The processes of a checkout, ready: all four but those of `without`. `projections`: these alone."""
    prefix = f"bench-{time.time_ns():x}-"
    folder = servers.folder / prefix
    log, view = servers.empty_database(), servers.empty_database()
    ports = {name: str(free_port()) for name in _PORTS}
    mail = MailServer(folder / "mail", free_port(), REPOSITORY, folder / "mail.log")
    async with AsyncExitStack() as stack:
        stack.push_async_callback(_remove, servers, prefix, (log, view))
        shared = {**ports, **_addresses(servers, prefix, log), "PYTHONPATH": ""}
        migrations = _migrations(checkout, log, view, folder)
        kinds = _kinds(projections, without)
        processes = _processes(kinds, checkout, shared, (log, view), mail, folder)
        stack.push_async_callback(asyncio.to_thread, in_parallel, [mail, *processes], Process.stop)
        await asyncio.to_thread(in_parallel, [mail, *migrations], Process.start)
        await asyncio.to_thread(in_parallel, processes, Process.start)
        commands, queries = (LightClient(HOST, int(ports[name])) for name in ("COMMAND_PORT", "QUERY_PORT"))
        stack.callback(commands.close)
        stack.callback(queries.close)
        url = f"http://{HOST}:{ports['COMMAND_PORT']}"
        yield System(commands, queries, url, log, view, _pids(servers, processes))


def _by(python: str, command: Command) -> Command:
    return replace(command, argv=[python, *command.argv[1:]])


def _addresses(servers: BenchServers, prefix: str, log: DatabaseDsns) -> dict[str, str]:
    return {
        "EVENT_STORE_READ_DSN": log.log_reader,
        "REDIS_URL": servers.redis.url(REDIS_DATABASE),
        "REDIS_KEY_PREFIX": prefix,
        "KAFKA_BOOTSTRAP_SERVERS": servers.kafka.bootstrap_servers,
        "KAFKA_TOPIC_PREFIX": prefix,
    }


def _migrations(checkout: Checkout, log: DatabaseDsns, view: DatabaseDsns, folder: Path) -> list[Job]:
    """By the commands of that checkout: its databases may be older ones."""
    made: list[Job] = []
    for package, dsn_name, database in (
        ("command_api", "EVENT_STORE_MIGRATE_DSN", log),
        ("projector", "READ_MODEL_MIGRATE_DSN", view),
    ):
        environment = {dsn_name: database.owner, "PYTHONPATH": ""}
        log_file = folder / f"migrate-{package}.log"
        job = _CheckoutJob(f"migrate-{package}", [package, "migrate"], environment, checkout.folder, log_file)
        job.python = checkout.python
        made.append(job)
    return made


def _kinds(projections: Sequence[str], without: Collection[str]) -> Mapping[str, ProcessKind]:
    chosen = {name: kind for name, kind in PROCESSES.items() if name not in without}
    projector = chosen["projector"]
    return {**chosen, "projector": replace(projector, arguments=(*projector.arguments, *projections))}


def _processes(
    kinds: Mapping[str, ProcessKind],
    checkout: Checkout,
    shared: Mapping[str, str],
    databases: tuple[DatabaseDsns, DatabaseDsns],
    mail: MailServer,
    folder: Path,
) -> list[Process]:
    log, view = databases
    mails = {"SMTP_URL": mail.url, "NOTIFICATION_RECIPIENTS": CAUGHT_RECIPIENT}
    own: Mapping[str, Mapping[str, str]] = {
        "command-api": {"EVENT_STORE_DSN": log.writer},
        "relay": {"EVENT_STORE_DSN": log.writer},
        "projector": {"READ_MODEL_DSN": view.projector, **mails},
        "query-api": {"READ_MODEL_DSN": view.reader, "SEARCH_INDEX_FOLDER": str(folder / "search")},
    }
    made: list[Process] = []
    for name, kind in kinds.items():
        environment = {**shared, **own[name]}
        ops_port = int(shared[kind.ops_port])
        process = _CheckoutProcess(
            name, kind.arguments, environment, checkout.folder, folder / f"{name}.log", ops_port
        )
        process.python = checkout.python
        made.append(process)
    return made


def _pids(servers: BenchServers, processes: list[Process]) -> dict[str, int]:
    of_servers = {BROKER: servers.kafka, REDIS: servers.redis, POSTGRES: servers.postgres}
    found = {
        **{NAMES[each.name]: each.pid for each in processes},
        **{n: s.pid for n, s in of_servers.items()},
    }
    ended = [name for name, pid in found.items() if pid is None]
    if ended:
        raise RuntimeError(f"no process: {', '.join(ended)}")
    return {name: pid for name, pid in found.items() if pid is not None}


async def _remove(servers: BenchServers, prefix: str, databases: tuple[DatabaseDsns, ...]) -> None:
    await servers.delete_topics(prefix)
    async with Redis.from_url(servers.redis.url(REDIS_DATABASE)) as redis:
        await redis.flushdb()
    for each in databases:
        await asyncio.to_thread(drop_database, servers.postgres, each.name)
