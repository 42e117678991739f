"""`python -m command_api renew-log-id` on a real event store."""

import json
from argparse import Namespace
from collections.abc import AsyncIterator
from uuid import UUID

import asyncpg
import pytest
from structlog.testing import capture_logs

from command_api.command_line import command_parser
from command_api.renew.cli import renew
from command_api.renew.settings import RenewSettings
from shared.ops.settings import load_settings
from shared.ops.terminal import Terminal
from tests.command_line import Ended, run_in_process
from tests.integration.relay_world import EventLog, event_log
from tests.servers import DatabaseDsns
from tests.unit.relay.sample_events import sample_events

pytestmark = pytest.mark.servers


@pytest.fixture
async def log(event_store_dsns: DatabaseDsns) -> AsyncIterator[EventLog]:
    async with event_log(event_store_dsns) as log:
        await log.append(sample_events(5, products=2))
        await log.set_cursor(5)
        yield log


async def renewed(dsns: DatabaseDsns, *arguments: str, seconds_max: int = 10) -> Ended:
    def read() -> tuple[Namespace, RenewSettings]:
        words = ["renew-log-id", "--actor", "anna", *arguments]
        return command_parser().parse_args(words), load_settings(RenewSettings)

    async def act(wanted: tuple[Namespace, RenewSettings], terminal: Terminal) -> int:
        return await renew(*wanted, terminal)

    settings = {"EVENT_STORE_MIGRATE_DSN": dsns.owner, "RENEW_STATEMENT_SECONDS_MAX": str(seconds_max)}
    return await run_in_process(settings, read, act)


async def log_id(log: EventLog) -> str:
    return str(UUID(int=(await log.connection.fetchval("SELECT log_id FROM catalogue.event_log")).int))


async def test_the_log_gets_another_id_and_nothing_of_it_counts_as_published(
    event_store_dsns: DatabaseDsns, log: EventLog
) -> None:
    before = await log_id(log)
    events = await log.connection.fetch("SELECT * FROM catalogue.events ORDER BY position")
    with capture_logs() as lines:
        said = await renewed(event_store_dsns, "--reason", "restored", "--json")
    assert said.code == 0, said.errors
    now = await log_id(log)
    assert now != before
    assert json.loads(said.output) == {"old_log_id": before, "log_id": now, "newest_position": 5}
    assert await log.cursor() == 0
    assert await log.connection.fetch("SELECT * FROM catalogue.events ORDER BY position") == events
    acts = [line for line in lines if line["event"] == "operator action"]
    assert [(one["actor"], one["reason"], one["result"], one["detail"]) for one in acts] == [
        ("anna", "restored", "started", ""), ("anna", "restored", "done", f"{before} became {now}"),
    ]  # fmt: skip


async def test_a_dry_run_changes_nothing(event_store_dsns: DatabaseDsns, log: EventLog) -> None:
    before = await log_id(log)
    said = await renewed(event_store_dsns, "--reason", "restored", "--dry-run")
    assert said.output == f"log {before} would get a new id; the log ends at position 5\n"
    assert (said.code, await log_id(log), await log.cursor()) == (0, before, 5)


@pytest.mark.parametrize("role", ["writer", "log_reader"])
async def test_it_is_refused_while_a_process_is_connected(
    event_store_dsns: DatabaseDsns, log: EventLog, role: str
) -> None:
    before = await log_id(log)
    process = await asyncpg.connect(getattr(event_store_dsns, role))
    try:
        said = await renewed(event_store_dsns, "--reason", "restored")
    finally:
        await process.close()
    assert said.code == 1
    assert f"sessions are open: 1 of catalogue_{role}. Stop all processes" in said.errors
    assert (await log_id(log), await log.cursor()) == (before, 5)


async def test_one_that_fails_after_its_beginning_says_so_in_the_audit_log(
    event_store_dsns: DatabaseDsns, log: EventLog
) -> None:
    before = await log_id(log)
    with capture_logs() as lines:
        async with log.connection.transaction():
            await log.connection.execute("SELECT FROM catalogue.event_log FOR UPDATE")
            said = await renewed(event_store_dsns, "--reason", "restored", seconds_max=3)
    assert said.code == 1
    assert "renew-log-id failed" in said.errors
    acts = [line for line in lines if line["event"] == "operator action"]
    assert [one["result"] for one in acts] == ["started", "failed"]
    assert acts[-1]["detail"]
    assert (await log_id(log), await log.cursor()) == (before, 5)
