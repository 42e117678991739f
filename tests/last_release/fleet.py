"""An installation with two instances of each process, which are replaced one by one by another release's."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from deploy.local.ports import HOST, free_port
from deploy.local.process import Job, Process
from tests.databases import create_database, drop_database
from tests.end_to_end.system import Servers, System, in_parallel
from tests.last_release.balancer import Balancer


@dataclass(frozen=True)
class Release:
    """The code of a release in a folder, and what its settings are called and set to."""

    name: str
    code: Path
    settings: dict[str, str]


@dataclass(frozen=True)
class Role:
    """A process of the installation: its command, and the setting of the port that clients use."""

    name: str
    arguments: tuple[str, ...]
    ops_port_setting: str
    port_setting: str | None = None


COMMAND_API = Role("command-api", ("command_api", "serve"), "COMMAND_OPS_PORT", "COMMAND_PORT")
RELAY = Role("relay", ("command_api", "relay"), "RELAY_OPS_PORT")
PROJECTOR = Role("projector", ("projector", "run"), "PROJECTOR_OPS_PORT")
QUERY_API = Role("query-api", ("query_api", "serve"), "QUERY_OPS_PORT", "QUERY_PORT")
ROLES = (COMMAND_API, RELAY, PROJECTOR, QUERY_API)


@dataclass
class Instance:
    """One process with ports that stay the same whatever release it is of."""

    role: Role
    number: int
    port: int
    ops_port: int
    process: Process | None = None

    @property
    def running(self) -> Process:
        assert self.process is not None
        return self.process


class Fleet:
    """`async with fleet.running(release):` migrates and starts all; `replace` goes on to another release."""

    def __init__(self, servers: Servers, folder: Path) -> None:
        self.servers = servers
        self._folder = folder
        self._place = System(servers, folder, {})
        self.prefix, self.redis_url = self._place.prefix, self._place.redis_url
        self.event_store, self.read_model = self._place.event_store, self._place.read_model
        self.settings = self._place.settings
        self.instances = [
            Instance(role, number, free_port(), free_port()) for role in ROLES for number in (1, 2)
        ]
        self._balancers: dict[str, Balancer] = {}

    @property
    def command_url(self) -> str:
        return f"http://{HOST}:{self._balancers[COMMAND_API.name].port}"

    @property
    def query_url(self) -> str:
        return f"http://{HOST}:{self._balancers[QUERY_API.name].port}"

    @asynccontextmanager
    async def running(self, release: Release) -> AsyncIterator["Fleet"]:
        """Everything of this release, from empty databases."""
        databases = (self.event_store, self.read_model)
        for database in databases:
            create_database(self.servers.postgres, database.name, "template1")
        try:
            await self.migrate(release)
            for instance in self.instances:
                instance.process = self._process(instance, release)
            await asyncio.to_thread(in_parallel, [each.running for each in self.instances], Process.start)
            async with self._balancer_of(COMMAND_API), self._balancer_of(QUERY_API):
                yield self
        finally:
            started = [each.process for each in self.instances if each.process is not None]
            await asyncio.to_thread(in_parallel, started, Process.stop)
            for database in databases:
                drop_database(self.servers.postgres, database.name)

    async def migrate(self, release: Release, *arguments: str) -> None:
        """Both databases, by the release's own commands, while everything runs."""
        for package, setting, database in (
            ("command_api", "EVENT_STORE_MIGRATE_DSN", self.event_store),
            ("projector", "READ_MODEL_MIGRATE_DSN", self.read_model),
        ):
            job = Job(
                f"migrate-{package}-{release.name}", [package, "migrate", *arguments],
                {**release.settings, setting: database.owner}, release.code,
                self._folder / f"migrate-{package}-{release.name}.log",
            )  # fmt: skip
            await asyncio.to_thread(job.start)

    async def replace(self, instance: Instance, release: Release) -> None:
        """As a deployment does: no new requests, stop, start, requests again when it is ready."""
        balancer = self._balancers.get(instance.role.name)
        if balancer is not None:
            await balancer.take_out(instance.port)
        await asyncio.to_thread(instance.running.stop)
        assert instance.running.exit_code == 0, instance.running.log_tail()
        instance.process = self._process(instance, release)
        await asyncio.to_thread(instance.process.start)
        if balancer is not None:
            balancer.put_in(instance.port)

    @asynccontextmanager
    async def _balancer_of(self, role: Role) -> AsyncIterator[None]:
        async with Balancer([each.port for each in self.instances if each.role is role]) as balancer:
            self._balancers[role.name] = balancer
            yield

    def _process(self, instance: Instance, release: Release) -> Process:
        role = instance.role
        name = f"{role.name}-{instance.number}-{release.name}"
        own = {role.ops_port_setting: str(instance.ops_port)}
        if role.port_setting is not None:
            own[role.port_setting] = str(instance.port)
        dsn = {"command_api": self.event_store.writer}.get(role.arguments[0])
        own |= {"EVENT_STORE_DSN": dsn} if dsn else {"READ_MODEL_DSN": self._read_model_of(role)}
        own["EVENT_STORE_READ_DSN"] = self.event_store.log_reader
        environment = {**self._place.environment(), **release.settings, **own}
        return Process(
            name, role.arguments, environment, release.code, self._folder / f"{name}.log", instance.ops_port
        )

    def _read_model_of(self, role: Role) -> str:
        return self.read_model.projector if role is PROJECTOR else self.read_model.reader
