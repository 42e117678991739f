"""The hint after commits: debounced, dispensable, and back after every loss."""

import asyncio
from collections.abc import AsyncIterator

import asyncpg
import pytest

from command_api.postgres.append_hint import CHANNEL, AppendHint, AppendListener
from deploy.local.ports import free_port
from deploy.local.postgres import PostgresServer
from tests.eventually import eventually
from tests.integration.relay_world import sever
from tests.servers import DatabaseDsns

pytestmark = pytest.mark.servers
NEVER = 3600.0
Connection = asyncpg.Connection


class Heard:
    """Counts notifications as any PostgreSQL client would."""

    def __init__(self, connection: Connection) -> None:
        self.count = 0
        self._connection = connection

    async def round_trip(self) -> None:
        """Time for a notification to be sent and to arrive."""
        await self._connection.fetchval("SELECT 1")

    def __call__(self, *_: object) -> None:
        self.count += 1


@pytest.fixture
async def heard(event_store_dsns: DatabaseDsns) -> AsyncIterator[Heard]:
    connection = await asyncpg.connect(event_store_dsns.log_reader)
    listening = Heard(connection)
    await connection.add_listener(CHANNEL, listening)
    yield listening
    await connection.close()


@pytest.fixture
async def listener(event_store_dsns: DatabaseDsns) -> AsyncIterator[AppendListener]:
    opened = AppendListener(event_store_dsns.writer)
    await opened.start()
    await _wait(opened)  # the one that says: listening now, look what is there
    yield opened
    await opened.stop()


async def _wait(listener: AppendListener) -> None:
    async with asyncio.timeout(30):
        await listener.wait(NEVER)


async def test_a_notice_reaches_whoever_listens(
    event_store_dsns: DatabaseDsns, listener: AppendListener
) -> None:
    assert listener.is_connected
    hint = AppendHint(event_store_dsns.writer)
    await hint.start()
    hint.notify()
    await _wait(listener)
    await hint.stop()


async def test_commits_within_the_interval_are_not_announced_one_by_one(
    event_store_dsns: DatabaseDsns, heard: Heard
) -> None:
    hint = AppendHint(event_store_dsns.writer, interval_seconds_min=NEVER)
    await hint.start()
    hint.notify()
    await eventually(lambda: _count_is(heard, 1))
    for _ in range(20):
        hint.notify()
        await heard.round_trip()
    _count_is(heard, 1)
    await hint.stop()


async def test_what_was_committed_within_the_interval_is_announced_after_it(
    event_store_dsns: DatabaseDsns, heard: Heard
) -> None:
    hint = AppendHint(event_store_dsns.writer, interval_seconds_min=0.01)
    await hint.start()
    for count in (1, 2, 3):
        hint.notify()
        await eventually(lambda count=count: _count_is(heard, count))  # type: ignore[misc]
    await hint.stop()


def _count_is(heard: Heard, count: int) -> None:
    assert heard.count == count


async def test_a_notifier_without_a_server_costs_the_append_nothing() -> None:
    hint = AppendHint(f"postgresql://nobody@127.0.0.1:{free_port()}/nowhere")
    await hint.start()
    for _ in range(1000):
        hint.notify()
    await hint.stop()


async def test_notifying_before_the_start_and_after_the_stop_is_nothing(
    event_store_dsns: DatabaseDsns,
) -> None:
    hint = AppendHint(event_store_dsns.writer)
    hint.notify()
    await hint.start()
    await hint.stop()
    hint.notify()
    await hint.stop()


async def test_a_notifier_whose_connection_is_cut_comes_back(
    event_store_dsns: DatabaseDsns, postgres_server: PostgresServer, heard: Heard
) -> None:
    hint = AppendHint(event_store_dsns.writer)
    await hint.start()
    await sever(postgres_server, event_store_dsns, "catalogue-append-hint")
    before = heard.count

    def heard_again() -> None:
        hint.notify()
        assert heard.count > before

    await eventually(heard_again)
    await hint.stop()


async def test_a_listener_whose_connection_is_cut_comes_back_and_looks_at_once(
    event_store_dsns: DatabaseDsns, postgres_server: PostgresServer, listener: AppendListener
) -> None:
    await sever(postgres_server, event_store_dsns, "catalogue-append-listener")
    await _wait(listener)
    hint = AppendHint(event_store_dsns.writer)
    await hint.start()
    hint.notify()
    await _wait(listener)
    await hint.stop()


async def test_without_a_hint_a_wait_ends_by_itself() -> None:
    listener = AppendListener(f"postgresql://nobody@127.0.0.1:{free_port()}/nowhere")
    await listener.start()
    assert not await listener.wait(0.001)
    assert not listener.is_connected
    await listener.stop()
