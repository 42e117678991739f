"""The event store in memory passes the suite that PostgreSQL's passes (tests/integration)."""

import pytest

from tests.in_memory_event_store import InMemoryEventStore
from tests.unit.execute.event_store_suite import EventStoreSuite


class TestInMemoryEventStore(EventStoreSuite):
    @pytest.fixture
    def store(self) -> InMemoryEventStore:
        return InMemoryEventStore()
