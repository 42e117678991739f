"""Applies the migrations of the event-store database."""

from collections.abc import Callable

from shared.ops.secret import Secret
from shared.postgres.migrations import Phase, migrate


async def migrate_event_store(
    dsn: Secret | str, *, on_step: Callable[[str], None] | None = None, phase: Phase = "all"
) -> list[str]:
    """Apply the missing migrations, as the owner of the database; returns their names. Raises
    `MigrationError`.
    """
    return await migrate(dsn, "command_api.postgres", on_step=on_step, phase=phase)
