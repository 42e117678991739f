"""Gives the log a new id, while no process of the catalogue is connected.

Events that a restore has undone were published under the old id. New events get the same positions and
versions, so that every consumer would drop them as duplicates. Under another id each consumer stops instead.
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from command_api.relay.ports import OperatorNeeded
from command_api.relay.postgres.log_rows import RELAY_NAME, read_log_id, translated
from command_api.renew.settings import RenewSettings
from shared.postgres.pool import connect
from shared.postgres.sql import load_sql

_CLOSE_SECONDS_MAX = 1.0


@dataclass(frozen=True, slots=True)
class Renewed:
    """`newest_position`: where the log ends. `log_id`: the new one; the old one in a dry run."""

    old_log_id: str
    log_id: str
    newest_position: int


async def renew_log_id(settings: RenewSettings, *, is_dry_run: bool, start: Callable[[], None]) -> Renewed:
    """Raises `RelayError`: `LogUnavailable`, or `OperatorNeeded` while a process is connected. `start` is
    called before the change.
    """
    with translated():
        connection = await connect(
            settings.event_store_migrate_dsn,
            application_name="catalogue-renew-log-id",
            statement_timeout_seconds=settings.renew_statement_seconds_max,
        )
    try:
        with translated():
            old = (await read_log_id(connection)).decode()
            newest = int(
                await connection.fetchval(load_sql("command_api.remake.postgres", "read_newest_log_position"))
            )
            sessions = await connection.fetch(load_sql("command_api.renew.postgres", "select_sessions"))
            is_ours = await connection.fetchval(load_sql("command_api.relay.postgres", "try_relay_lock"))
        if sessions or not is_ours:
            found = [f"{row['sessions']} of {row['role']}" for row in sessions] or ["that of a relay"]
            raise OperatorNeeded(
                f"sessions are open: {', '.join(found)}. Stop all processes of the catalogue first, and "
                "poolers in front of the event store"
            )
        if is_dry_run:
            return Renewed(old, old, newest)
        start()
        with translated():
            async with connection.transaction():
                new = await connection.fetchval(load_sql("command_api.renew.postgres", "renew_log_id"))
                await connection.execute(
                    load_sql("command_api.remake.postgres", "set_relay_cursor_back"), RELAY_NAME
                )
        return Renewed(old, str(new), newest)
    finally:
        with suppress(Exception):
            await connection.close(timeout=_CLOSE_SECONDS_MAX)
