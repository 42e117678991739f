"""What stands between this process and PostgreSQL, compared with POSTGRES_POOLER; for readiness.

A user of a database cannot ask a pooler for its version or its mode. So the check looks at what it does:

| what is seen                                              | what it means                           |
|-----------------------------------------------------------|-----------------------------------------|
| the process of the session is not the one that the log-in | a pooler: it makes up the key of        |
| has told us                                               | cancellations                           |
| a start-up setting is refused (08P01)                     | a pooler, and the setting is `none`     |
| the connection ends at a BEGIN                            | it pools in statement mode              |
| a prepared statement has the name that we gave it         | it tracks none: older than 1.21, or off |
| the role has no limit of its own                          | a statement would last for ever         |
"""

import asyncio
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

import asyncpg

from shared.ops.secret import Secret
from shared.postgres.errors import is_unavailable
from shared.postgres.pool import connect
from shared.postgres.pooler_settings import Pooler
from shared.postgres.sql import load_sql

Check = Callable[[], Awaitable[None]]
CHECK = "way to PostgreSQL"
"""Its name among the checks of readiness."""
_SESSION_SQL = load_sql("shared.postgres", "select_session")
_PREPARED_SQL = load_sql("shared.postgres", "select_prepared_statement")
_REFUSED_SETTING = "unsupported startup parameter"
# Less than a check of readiness may take.
_SECONDS_MAX = 1.5
_LIMITS = ("statement_timeout", "idle_in_transaction_session_timeout")
CUSTOM_PLANS = {"plan_cache_mode": "force_custom_plan"}
"""What the role of lists and reports needs behind a pooler (`query_api/postgres/custom_plans.py`)."""


class WrongWay(Exception):
    """The process must not work over this connection; the text says what to change."""


def session_check(
    pool: "asyncpg.Pool[asyncpg.Record]", pooler: Pooler, needed: Mapping[str, str] | None = None
) -> Check:
    """A check that the pool's way is the one of POSTGRES_POOLER. `needed`: settings of the role behind a
    pooler. Raises `WrongWay`, or asyncpg's errors. Once it has passed, an outage is no news of it: the check
    of the server tells that.
    """
    has_passed = False

    async def look() -> None:
        async with pool.acquire() as connection:
            # First without a transaction: if this works and BEGIN does not, it is the pooler's mode.
            await _session(connection)  # type: ignore[arg-type]  # a proxy of it
            async with _transaction(connection):
                await _look(connection, pooler, needed or {})  # type: ignore[arg-type]

    async def check() -> None:
        nonlocal has_passed
        looking = asyncio.create_task(look())
        try:
            # A connection that hangs takes long to give up: nobody waits for that.
            if not (await asyncio.wait({looking}, timeout=_SECONDS_MAX))[0]:
                raise TimeoutError
            await looking
        except Exception as error:
            if isinstance(error, asyncpg.PostgresError) and _REFUSED_SETTING in str(error):
                raise WrongWay(
                    "a pooler refuses our start-up settings: set POSTGRES_POOLER=transaction, or give the"
                    " address of PostgreSQL itself"
                ) from error
            if not (has_passed and is_unavailable(error)):
                raise
        else:
            has_passed = True
        finally:
            looking.cancel()

    return check


@asynccontextmanager
async def _transaction(connection: Any) -> AsyncIterator[None]:
    transaction = connection.transaction()
    try:
        await transaction.start()
    except asyncpg.ConnectionDoesNotExistError as error:
        # Its message comes after the end of the connection, where asyncpg does not read it.
        raise WrongWay(
            "the pooler ends a session that begins a transaction: set its pool_mode to transaction"
        ) from error
    try:
        yield
    finally:
        await transaction.rollback()


def direct_check(dsn: Secret | str, setting: str) -> Check:
    """A check that the address `setting` leads to PostgreSQL itself; asked until it has passed once.

    Raises `WrongWay`, or asyncpg's errors.
    """
    has_passed = False

    async def check() -> None:
        nonlocal has_passed
        if has_passed:
            return
        connection = None
        try:
            connection = await connect(dsn, application_name="catalogue look", statement_timeout_seconds=1.0)
            is_direct = connection.get_server_pid() == (await _session(connection))["server_pid"]
        except asyncpg.PostgresError as error:
            if _REFUSED_SETTING not in str(error):
                raise
            is_direct = False
        finally:
            if connection is not None:
                connection.terminate()
        if not is_direct:
            raise WrongWay(f"{setting} leads to a pooler: give the address of PostgreSQL itself")
        has_passed = True

    return check


async def _look(
    connection: "asyncpg.Connection[asyncpg.Record]", pooler: Pooler, needed: Mapping[str, str]
) -> None:
    """Within one transaction, so that all of it is about one session."""
    session = await _session(connection)
    is_direct = connection.get_server_pid() == session["server_pid"]
    if pooler == "none":
        if not is_direct:
            raise WrongWay("a pooler stands before PostgreSQL: set POSTGRES_POOLER=transaction")
        return
    if is_direct:
        raise WrongWay(
            "POSTGRES_POOLER is transaction, but the address leads to PostgreSQL itself: set it to none"
        )
    name = f"catalogue_look_{secrets.token_hex(8)}"
    await connection.prepare(_SESSION_SQL, name=name)
    if await connection.fetchval(_PREPARED_SQL, name):
        raise WrongWay(
            "the pooler does not track prepared statements: it must be PgBouncer 1.21 or newer, with"
            " max_prepared_statements above 0"
        )
    _check_role(session, needed)


async def _session(connection: "asyncpg.Connection[asyncpg.Record]") -> asyncpg.Record:
    row = await connection.fetchrow(_SESSION_SQL)
    assert row is not None  # a SELECT without FROM has one row
    return row


def _check_role(session: asyncpg.Record, needed: Mapping[str, str]) -> None:
    lacking = {name: "'5s'" for name in _LIMITS if session[name] == "0"}
    lacking |= {name: value for name, value in needed.items() if session[name] != value}
    for name, value in lacking.items():
        raise WrongWay(
            f"the role lacks a setting: ALTER ROLE {session['role_name']} SET {name} = {value}, then"
            " RECONNECT in the pooler"
        )
