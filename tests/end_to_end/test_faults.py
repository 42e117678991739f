"""Faults of servers and processes under load; afterwards an independent checker finds every promise kept."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator

import asyncpg
import pytest
import pytest_asyncio
from redis import Redis

from deploy.local.ports import port_is_taken
from deploy.local.process import Process
from tests.end_to_end.evidence import must_be_consistent, newest_position, relay_cursor
from tests.end_to_end.system import System
from tests.end_to_end.workload import Load
from tests.eventually import eventually

pytestmark = pytest.mark.servers
COMMANDS = 100


class Story:
    """A load on a system, and the checker at the end of it."""

    def __init__(self, system: System, load: Load, since_position: int) -> None:
        self.system = system
        self.load = load
        self._since_position = since_position
        self._pids = {process.name: process.pid for process in system.processes}

    async def ends_well(self) -> None:
        """No answer was wrong, and log, Kafka, table, cache, HTTP and the clients' records agree."""
        assert self.load.wrong == []
        commands = self.load.commands
        assert {command.outcome for command in commands} == {"ok", "refused"}
        await must_be_consistent(self.system, commands, since_position=self._since_position)

    def no_process_was_restarted(self) -> None:
        assert {process.name: process.pid for process in self.system.processes} == self._pids


@pytest_asyncio.fixture
async def story(system: System) -> AsyncIterator[Story]:
    """A load that has not begun; its clients do not read until a test says how long they wait for a write."""
    since_position = await newest_position(system)
    async with Load(system) as load:
        yield Story(system, load, since_position)


async def test_without_a_fault_every_promise_is_kept(story: Story) -> None:
    await story.load.begin(COMMANDS)
    await story.ends_well()
    assert set(story.load.answers()) <= {"200", "201", "204", *REFUSALS}


REFUSALS = {
    "404 product-not-found", "404 variant-not-found", "409 sku-taken", "409 transition-not-allowed",
    "409 version-conflict", "412 version-does-not-match",
}  # fmt: skip


async def test_writers_notice_nothing_of_a_broker_that_is_gone(story: Story) -> None:
    load, kafka = story.load, story.system.servers.kafka
    async with load.going_on(COMMANDS, settled=COMMANDS // 3) as before:
        await asyncio.to_thread(kafka.stop)
    await before
    await load.begin(COMMANDS)
    assert await relay_cursor(story.system) < await newest_position(story.system)
    async with load.going_on(COMMANDS, settled=0) as after:
        await asyncio.to_thread(kafka.start)
    await after
    assert set(load.answers()) <= {"200", "201", "204", *REFUSALS}
    await story.ends_well()
    story.no_process_was_restarted()


@pytest.mark.parametrize("name", ["projector", "relay"])
async def test_a_killed_process_takes_up_where_it_was(story: Story, name: str) -> None:
    process: Process = getattr(story.system, name)
    load = story.load
    async with load.going_on(COMMANDS * 2, settled=COMMANDS // 2) as running:
        await asyncio.to_thread(process.kill)
        assert not running.done()
    await asyncio.to_thread(process.start)
    await load.begin(COMMANDS)
    await running
    await story.ends_well()


async def test_commands_of_a_killed_command_api_take_effect_once(story: Story) -> None:
    load, command_api = story.load, story.system.command_api
    for _ in range(2):
        async with load.going_on(COMMANDS, settled=COMMANDS // 2) as running:
            await asyncio.to_thread(command_api.kill)
            assert not running.done()
        await asyncio.to_thread(command_api.start)
        await running
    retried = [command for command in load.commands if len(command.attempts) > 1]
    assert any(attempt.outcome == "unknown" for command in retried for attempt in command.attempts)
    await story.ends_well()


@pytest.mark.parametrize("fault", ["stop", "kill"])
async def test_answers_are_true_while_postgresql_is_away_and_all_recover(story: Story, fault: str) -> None:
    load, postgres = story.load, story.system.servers.postgres
    async with load.going_on(COMMANDS * 2, settled=COMMANDS // 2) as running:
        await asyncio.to_thread(getattr(postgres, fault))
        await load.said("503 store-unavailable", "503 outcome-unknown")
    await asyncio.to_thread(postgres.start)
    await running
    await load.begin(COMMANDS)
    await story.ends_well()
    story.no_process_was_restarted()


async def test_reads_stay_right_while_redis_forgets_and_restarts(story: Story) -> None:
    load, redis_server = story.load, story.system.servers.redis
    load.read_wait_seconds = 10
    async with load.going_on(COMMANDS, settled=COMMANDS // 3) as running:
        with Redis.from_url(story.system.redis_url) as redis:
            redis.flushdb()
    await running
    async with load.going_on(COMMANDS, settled=COMMANDS // 3) as down:
        await asyncio.to_thread(redis_server.stop)
    await load.begin(COMMANDS)
    await down
    await asyncio.to_thread(redis_server.start)
    await load.begin(COMMANDS)
    assert set(load.reads) <= {"200", "404"}
    await story.ends_well()
    story.no_process_was_restarted()


async def test_a_relay_that_was_stopped_and_replaced_does_no_harm_when_it_wakes(story: Story) -> None:
    load, system = story.load, story.system
    standby = system.standby_relay()
    await asyncio.to_thread(standby.start)
    try:
        async with load.going_on(COMMANDS * 2, settled=COMMANDS // 2) as running:
            system.relay.pause()
        await running
        # The lock belongs to the stopped relay's session for as long as the server knows no better.
        await _end_sessions_of_the_relay(system)
        await eventually(lambda: _has_become_active(system, standby))
        async with load.going_on(COMMANDS, settled=COMMANDS // 3) as after:
            system.relay.resume()
        await after
        story.no_process_was_restarted()
    finally:
        system.relay.resume()
        await asyncio.to_thread(standby.stop)
    await load.begin(COMMANDS)  # the replaced relay resumes
    await story.ends_well()


async def test_a_relay_that_only_stopped_for_a_while_goes_on_beside_its_standby(story: Story) -> None:
    load, system = story.load, story.system
    standby = system.standby_relay()
    await asyncio.to_thread(standby.start)
    try:
        async with load.going_on(COMMANDS * 2, settled=COMMANDS // 2) as running:
            system.relay.pause()
        await running
        await load.begin(COMMANDS)
        system.relay.resume()
        await load.begin(COMMANDS)
        await story.ends_well()
        assert not any(line["event"] == "this relay is active" for line in system.log_of(standby))
    finally:
        system.relay.resume()
        await asyncio.to_thread(standby.stop)


async def test_every_process_leaves_within_its_grace_under_load_and_nothing_is_lost(story: Story) -> None:
    load = story.load
    for process in story.system.processes:
        async with load.going_on(COMMANDS * 2, settled=COMMANDS // 2) as running:
            await asyncio.to_thread(process.stop)
        assert process.exit_code == 0, process.log_tail()
        await asyncio.to_thread(process.start)
        await running
    await story.ends_well()


async def test_killed_processes_leave_their_ports_closed(system: System) -> None:
    served = {system.command_api: "COMMAND_PORT", system.query_api: "QUERY_PORT"}
    for process in system.processes:
        ports = [process.ops_port, *([system.ports[served[process]]] if process in served else [])]
        assert all(port_is_taken(port) for port in ports)
        assert process.pid is not None
        os.kill(process.pid, signal.SIGKILL)  # only the process that was started, none that it may have made

        def all_are_closed(ports: list[int] = ports) -> None:
            assert [port for port in ports if port_is_taken(port)] == []

        await eventually(all_are_closed)


async def _end_sessions_of_the_relay(system: System) -> None:
    """End the session, as the server does for a client whose machine has vanished."""
    sql = (
        "SELECT pg_terminate_backend(pid) FROM pg_locks JOIN pg_stat_activity USING (pid)"
        f" WHERE locktype = 'advisory' AND granted AND datname = '{system.event_store.name}'"
        " AND application_name = 'catalogue-relay'"
    )
    await asyncio.to_thread(system.servers.postgres.run_sql, sql)


def _has_become_active(system: System, relay: Process) -> None:
    assert any(line["event"] == "this relay is active" for line in system.log_of(relay))


async def test_the_log_refuses_to_be_changed_even_by_those_who_write_it(system: System) -> None:
    connection = await asyncpg.connect(system.event_store.writer)
    try:
        for statement in ("UPDATE catalogue.events SET data = ''", "DELETE FROM catalogue.events"):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.execute(statement)
    finally:
        await connection.close()
