"""Bring the event-store database to the schema that this code needs."""

from collections.abc import Callable

from shared.postgres.migrations import migrate


async def migrate_event_store(dsn: str, *, on_step: Callable[[str], None] | None = None) -> list[str]:
    """Apply what is missing, as the owner of the database; answers the names. Raises `MigrationError`."""
    return await migrate(dsn, "command_api.postgres", on_step=on_step)
