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


@pytest_asyncio.fixture
async def client(store: InMemoryEventStore) -> AsyncIterator[httpx.AsyncClient]:
    async with write_client(store) as client:
        yield client
