"""What an operator asks PostgreSQL by a runbook: who holds a lock, which rules on our tables are not ours."""

import asyncio
from contextlib import AsyncExitStack

import asyncpg
import pytest

from deploy.local.ports import HOST
from deploy.local.postgres import SUPERUSER, PostgresServer
from shared.postgres.sql import load_sql
from tests.eventually import eventually
from tests.servers import DatabaseDsns

pytestmark = pytest.mark.servers
_RUNBOOKS = "docs.runbooks"
WHO_BLOCKS = load_sql(_RUNBOOKS, "who_blocks")
NOT_OURS = load_sql(_RUNBOOKS, "not_ours")
_A_TRIGGER = "suppress_redundant_updates_trigger"


@pytest.mark.parametrize(
    ("rule", "name"),
    [
        (
            "ALTER TABLE views.product_view_variant ADD CONSTRAINT sku_is_ours CHECK (sku NOT LIKE 'LMP-%')",
            "sku_is_ours",
        ),
        ("ALTER TABLE views.product_view ADD CONSTRAINT one_name UNIQUE (name)", "one_name"),
        ("CREATE UNIQUE INDEX one_brand ON views.product_view (brand)", "views.one_brand"),
        (
            f"CREATE TRIGGER watch BEFORE UPDATE ON views.stock_item EXECUTE FUNCTION {_A_TRIGGER}()",
            "watch",
        ),
    ],
)
async def test_only_a_rule_that_somebody_else_made_is_shown(
    read_model_dsns: DatabaseDsns, rule: str, name: str
) -> None:
    owner = await asyncpg.connect(read_model_dsns.owner)
    projector = await asyncpg.connect(read_model_dsns.projector)
    try:
        assert await projector.fetch(NOT_OURS) == []
        await owner.execute(rule)
        assert [row["name"] for row in await projector.fetch(NOT_OURS)] == [name]
    finally:
        await owner.close()
        await projector.close()


async def test_the_session_that_all_others_wait_for_is_named_and_can_be_ended(
    postgres_server: PostgresServer, read_model_dsns: DatabaseDsns
) -> None:
    """A report reads and forgets to end, a change of the table waits for it, and readers wait behind that."""
    async with AsyncExitStack() as sessions:

        async def session(dsn: str, name: str) -> "asyncpg.Connection[asyncpg.Record]":
            connection = await asyncpg.connect(dsn, server_settings={"application_name": name})
            sessions.push_async_callback(connection.close)
            return connection

        report = await session(read_model_dsns.reader, "nightly-report")
        await report.execute("BEGIN; SELECT count(*) FROM views.product_view")
        change = await session(read_model_dsns.owner, "change")
        reader = await session(read_model_dsns.reader, "reads")
        operator = await asyncpg.connect(
            host=HOST, port=postgres_server.port, user=SUPERUSER, database="postgres", ssl=False,
            password=postgres_server.superuser_password(),
        )  # fmt: skip
        sessions.push_async_callback(operator.close)

        async def names_the_report(who_waits: str) -> None:
            found = [
                row for row in await operator.fetch(WHO_BLOCKS) if row["database"] == read_model_dsns.name
            ]
            assert [(row["pid"], row["application_name"], row["who_waits"]) for row in found] == [
                (report.get_server_pid(), "nightly-report", who_waits)
            ]

        async with asyncio.TaskGroup() as waiting:
            waiting.create_task(change.execute("ALTER TABLE views.product_view ADD COLUMN more int"))
            await eventually(lambda: names_the_report("change"))
            waiting.create_task(reader.fetch("SELECT count(*) FROM views.product_view"))
            await eventually(lambda: names_the_report("change, reads"))
            await operator.execute(f"SELECT pg_terminate_backend({report.get_server_pid()})")
        report.terminate()
