"""Applies the migrations of the event-store database."""

import asyncio
from collections.abc import Callable

from shared.contract.schemas import EVENT_STORE
from shared.ops.secret import Secret
from shared.postgres.migrations import LOCK_SECONDS_MAX, Phase
from shared.postgres.patient_migrate import migrate_when_there


async def migrate_event_store(
    dsn: Secret | str,
    *,
    wait_seconds_max: float = 0.0,
    lock_seconds_max: float = LOCK_SECONDS_MAX,
    say: Callable[[str], None] = lambda _: None,
    stop: asyncio.Event | None = None,
    phase: Phase = "all",
) -> list[str]:
    """Apply the missing migrations, as the owner of the database; returns their names. Raises
    `NotMigrated`.
    """
    return await migrate_when_there(
        dsn,
        "command_api.postgres",
        EVENT_STORE,
        wait_seconds_max=wait_seconds_max,
        lock_seconds_max=lock_seconds_max,
        say=say,
        stop=stop,
        phase=phase,
    )
