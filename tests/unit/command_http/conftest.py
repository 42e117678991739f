"""A store in memory and a client of the write API over it."""

from collections.abc import AsyncIterator

import httpx
import pytest
import pytest_asyncio

from tests.in_memory_event_store import InMemoryEventStore
from tests.unit.command_http.write_client import write_client


@pytest.fixture
def store() -> InMemoryEventStore:
    return InMemoryEventStore()


@pytest.fixture(params=["framework", "light"])
def is_light(request: pytest.FixtureRequest) -> bool:
    """Both ways to a single command give the same answers."""
    return bool(request.param == "light")


@pytest_asyncio.fixture
async def client(store: InMemoryEventStore, is_light: bool) -> AsyncIterator[httpx.AsyncClient]:
    async with write_client(store, is_light=is_light) as client:
        yield client
