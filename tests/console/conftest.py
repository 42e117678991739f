"""One browser and one installation for the whole folder; the installation has a catalogue to look at."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, async_playwright

from deploy.local.kafka import KafkaServer
from deploy.local.postgres import PostgresServer
from deploy.local.redis import RedisServer
from deploy.local.stack import WEBHOOKS
from tests.console.chromium import chromium_program
from tests.console.sample import Sample, sample_of
from tests.console.screen import Screen, screen_of
from tests.end_to_end.catalogue import Catalogue
from tests.end_to_end.system import PATIENCE_OF_TESTS, Servers, System


@pytest_asyncio.fixture(scope="package")
async def browser() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        one = await playwright.chromium.launch(
            executable_path=chromium_program(),
            args=["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"],
        )
        yield one
        await one.close()


@pytest.fixture(scope="package")
def installation(
    postgres_server: PostgresServer,
    redis_server: RedisServer,
    kafka_server: KafkaServer,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[System]:
    servers = Servers(postgres_server, redis_server, kafka_server)
    servers.ensure_running()
    made = System(servers, Path(tmp_path_factory.mktemp("console")), {**PATIENCE_OF_TESTS, **WEBHOOKS})
    made.start()
    try:
        yield made
    finally:
        made.close()


@pytest.fixture
def system(installation: System) -> System:
    """Everything is up and ready, whatever a test has done."""
    installation.ensure_running()
    return installation


@pytest_asyncio.fixture
async def catalogue(system: System) -> AsyncIterator[Catalogue]:
    async with Catalogue(system.command_url, system.query_url) as client:
        yield client


@pytest_asyncio.fixture(scope="package")
async def sample(installation: System) -> Sample:
    """Products that the tests look at and do not change."""
    installation.ensure_running()
    async with Catalogue(installation.command_url, installation.query_url) as client:
        return await sample_of(client)


@pytest_asyncio.fixture
async def screen(browser: Browser, system: System, sample: Sample) -> AsyncIterator[Screen]:
    """A wide tab in the light theme; at the end it must have done nothing wrong."""
    async with screen_of(browser, system.query_url) as made:
        yield made
        await made.sound()
