"""Each test runs once for each language; one whose tools are missing is left out, and says why."""

from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from pathlib import Path

import pytest
import pytest_asyncio

from deploy.local.kafka import KafkaServer
from deploy.local.postgres import PostgresServer
from deploy.local.redis import RedisServer
from tests.end_to_end.catalogue import Catalogue
from tests.end_to_end.system import PATIENCE_OF_TESTS, Servers, System
from tests.examples.services import LANGUAGES, Language, StockService
from tests.examples.written_topics import WrittenTopics

MakeService = Callable[[str], StockService]


@pytest.fixture(scope="session", params=LANGUAGES, ids=lambda language: language.name)
def language(request: pytest.FixtureRequest) -> Language:
    chosen: Language = request.param
    reason = chosen.why_not()
    if reason is not None:
        pytest.skip(reason)
    return chosen


@pytest.fixture(scope="session")
def argv(language: Language, tmp_path_factory: pytest.TempPathFactory) -> Sequence[str]:
    return language.argv(tmp_path_factory.mktemp(language.name))


@pytest.fixture
def make_service(
    language: Language, argv: Sequence[str], tmp_path: Path, kafka_server: KafkaServer
) -> Iterator[MakeService]:
    """A stock service that follows the topics with a prefix; not started."""
    made: list[StockService] = []

    def make(prefix: str) -> StockService:
        made.append(StockService(language, argv, tmp_path, kafka_server.bootstrap_servers, prefix))
        return made[-1]

    yield make
    for service in made:
        service.stop()


@pytest_asyncio.fixture
async def topics(kafka_bootstrap_servers: str, kafka_prefix: str) -> WrittenTopics:
    made = WrittenTopics(kafka_bootstrap_servers, kafka_prefix)
    await made.make()
    return made


@pytest.fixture
def service(make_service: MakeService, topics: WrittenTopics) -> StockService:
    """Of `topics`; not started."""
    return make_service(topics.prefix)


@pytest.fixture
def system(
    postgres_server: PostgresServer, redis_server: RedisServer, kafka_server: KafkaServer, tmp_path: Path
) -> Iterator[System]:
    """A whole catalogue of this test's own, everything up and ready."""
    servers = Servers(postgres_server, redis_server, kafka_server)
    servers.ensure_running()
    one = System(servers, tmp_path, PATIENCE_OF_TESTS)
    one.start()
    yield one
    one.close()


@pytest_asyncio.fixture
async def catalogue(system: System) -> AsyncIterator[Catalogue]:
    """Its two HTTP APIs."""
    async with Catalogue(system.command_url, system.query_url) as client:
        yield client
