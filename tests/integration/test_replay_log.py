"""The log that a replay reads, as a role that may only read: its suite, and what PostgreSQL adds."""

from collections.abc import AsyncIterator, Sequence

import asyncpg
import pytest

from command_api.relay.ports import LogUnavailable
from command_api.replay.ports import ReplayLog, Selection
from command_api.replay.postgres.replay_log import PostgresReplayLog, ReplayLimits
from deploy.local.ports import free_port
from deploy.local.postgres import PostgresServer
from shared.contract.recorded_event import RecordedEvent
from tests.integration.relay_world import EventLog, event_log, sever
from tests.servers import DatabaseDsns
from tests.unit.relay.sample_events import product, sample_events
from tests.unit.replay.suites import WINDOW_POSITIONS_MAX, ReplayLogSuite, read_all

pytestmark = pytest.mark.servers
LIMITS = ReplayLimits(1_000_000, WINDOW_POSITIONS_MAX, 5.0)


class _Log:
    def __init__(self, server: PostgresServer, dsns: DatabaseDsns, owner: EventLog) -> None:
        self._server = server
        self.owner = owner
        self.dsns = dsns

    async def append(self, events: Sequence[RecordedEvent]) -> None:
        await self.owner.append(events)
        await self.owner.index_products()

    async def spoil_metadata(self, log_position: int) -> None:
        await self.owner.spoil_metadata(log_position)

    async def relay_to(self, log_position: int) -> None:
        await self.owner.set_cursor(log_position)

    async def open(self, limits: ReplayLimits = LIMITS) -> ReplayLog:
        return await PostgresReplayLog.open(self.dsns.log_reader, limits)

    async def sever(self) -> None:
        await sever(self._server, self.dsns, "catalogue-replay")


@pytest.fixture
async def log(postgres_server: PostgresServer, event_store_dsns: DatabaseDsns) -> AsyncIterator[_Log]:
    async with event_log(event_store_dsns) as owner:
        yield _Log(postgres_server, event_store_dsns, owner)


@pytest.mark.parametrize("product_ids", [(), (product(0), product(1))])
class TestOfBytes:
    """Of the whole log and of products alike."""

    async def test_a_read_ends_with_the_event_that_fills_its_bytes_and_goes_on_behind_it(
        self, log: _Log, product_ids: tuple[object, ...]
    ) -> None:
        events = sample_events(6, products=2, data=b"x" * 1000)
        await log.append(events)
        opened = await log.open(ReplayLimits(1500, 1000, 5.0))
        selection = Selection(1, 6, product_ids)  # type: ignore[arg-type]
        assert await opened.read_after(0, selection, 100) == (events[:2], 2)
        assert await read_all(opened, selection) == events
        await opened.close()

    async def test_an_event_larger_than_a_read_comes_alone(
        self, log: _Log, product_ids: tuple[object, ...]
    ) -> None:
        events = sample_events(3, products=2, data=b"x" * 1000)
        await log.append(events)
        opened = await log.open(ReplayLimits(1, 1000, 5.0))
        selection = Selection(1, 3, product_ids)  # type: ignore[arg-type]
        assert await opened.read_after(0, selection, 100) == (events[:1], 1)
        assert await read_all(opened, selection) == events
        await opened.close()

    async def test_positions_beyond_32_bits_are_positions(
        self, log: _Log, product_ids: tuple[object, ...]
    ) -> None:
        opened = await log.open()
        selection = Selection(2**40, 2**40 + 1, product_ids)  # type: ignore[arg-type]
        assert await opened.read_after(2**40 - 1, selection, 100) == ([], 2**40 + 1)
        assert await opened.count_after(2**40 - 1, selection) == (0, 2**40 + 1)
        await opened.close()


class TestPostgresReplayLog(ReplayLogSuite):
    async def test_the_log_id_is_the_event_stores_own(self, log: _Log) -> None:
        opened = await log.open()
        stored = await log.owner.connection.fetchval("SELECT log_id FROM catalogue.event_log")
        assert opened.log_id == str(stored).encode()
        await opened.close()

    async def test_a_server_that_is_away_is_unavailable_and_no_bug(self) -> None:
        with pytest.raises(LogUnavailable):
            await PostgresReplayLog.open(f"postgresql://nobody@127.0.0.1:{free_port()}/nowhere", LIMITS)

    async def test_the_role_that_reads_may_not_write(self, log: _Log) -> None:
        connection = await asyncpg.connect(log.dsns.log_reader)
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute("DELETE FROM catalogue.events")
        await connection.close()
