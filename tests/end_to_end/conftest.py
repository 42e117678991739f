"""One installation for the whole folder; replaced after a failed test, which may have left it broken."""

from collections.abc import AsyncIterator, Callable, Generator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from deploy.local.kafka import KafkaServer
from deploy.local.postgres import PostgresServer
from deploy.local.redis import RedisServer
from deploy.local.stack import WEBHOOKS
from deploy.local.traces.receiver import TraceReceiver
from tests.end_to_end.catalogue import Catalogue
from tests.end_to_end.system import PATIENCE_OF_TESTS, Servers, System
from tests.end_to_end.traced import receiving

_FAILED = pytest.StashKey[bool]()


class _Installations:
    """Makes an installation when needed, and a new one after `discard`."""

    def __init__(self, make: Callable[[], System]) -> None:
        self._make = make
        self._current: System | None = None

    def current(self) -> System:
        if self._current is None:
            self._current = self._make()
            self._current.start()
        self._current.ensure_running()
        return self._current

    def discard(self) -> None:
        system, self._current = self._current, None
        if system is not None:
            system.close()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Lets fixtures know whether their test has failed."""
    report = yield
    if report.failed:
        item.stash[_FAILED] = True
    return report


@pytest.fixture(scope="package")
def servers(postgres_server: PostgresServer, redis_server: RedisServer, kafka_server: KafkaServer) -> Servers:
    return Servers(postgres_server, redis_server, kafka_server)


@pytest.fixture(scope="package")
def installations(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[_Installations]:
    def make() -> System:
        servers.ensure_running()
        return System(servers, Path(tmp_path_factory.mktemp("system")), {**PATIENCE_OF_TESTS, **WEBHOOKS})

    made = _Installations(make)
    yield made
    made.discard()


@pytest.fixture
def system(installations: _Installations, request: pytest.FixtureRequest) -> Iterator[System]:
    """The installation, everything up and ready."""
    yield installations.current()
    if request.node.stash.get(_FAILED, False):
        installations.discard()


@pytest_asyncio.fixture
async def catalogue(system: System) -> AsyncIterator[Catalogue]:
    """Its two HTTP APIs."""
    async with Catalogue(system.command_url, system.query_url) as client:
        yield client


@pytest.fixture(scope="module")
def receiver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TraceReceiver]:
    """For the spans of an installation that a file has for itself (`traced_system`)."""
    with receiving(Path(tmp_path_factory.mktemp("traces"))) as one:
        yield one
