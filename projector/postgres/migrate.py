"""Brings the read model's schema to what this code expects."""

from shared.postgres.migrations import migrate


async def migrate_read_model(dsn: str) -> list[str]:
    """Apply what is pending and answer the names. Connect as the owner; see `migrations.migrate`."""
    return await migrate(dsn, "projector.postgres")
