"""Migrates the read model's schema to the version of this code."""

import asyncpg

from projector.errors import CannotGoOn
from shared.ops.secret import Secret
from shared.postgres.migrations import MigrationError, Phase, migrate


async def migrate_read_model(dsn: Secret | str, phase: Phase = "all") -> list[str]:
    """Apply pending migrations and return their names. Connect as the owner; see `migrate`.

    Raises `CannotGoOn`: a wrong schema, a refused login, or a server that cannot be reached.
    """
    try:
        return await migrate(dsn, "projector.postgres", phase=phase)
    except (MigrationError, asyncpg.PostgresError, asyncpg.InterfaceError, OSError) as error:
        raise CannotGoOn(f"{type(error).__name__}: {error}") from error
