"""Migrates the read model's schema to the version of this code."""

from collections.abc import Callable

from shared.contract.schemas import READ_MODEL
from shared.ops.secret import Secret
from shared.postgres.migrations import LOCK_SECONDS_MAX, Phase
from shared.postgres.patient_migrate import migrate_when_there


async def migrate_read_model(
    dsn: Secret | str,
    *,
    wait_seconds_max: float = 0.0,
    lock_seconds_max: float = LOCK_SECONDS_MAX,
    say: Callable[[str], None] = lambda _: None,
    phase: Phase = "all",
) -> list[str]:
    """Apply the missing migrations, as the owner of the database; returns their names. Raises
    `NotMigrated`.
    """
    return await migrate_when_there(
        dsn,
        "projector.postgres",
        READ_MODEL,
        wait_seconds_max=wait_seconds_max,
        lock_seconds_max=lock_seconds_max,
        say=say,
        phase=phase,
    )
