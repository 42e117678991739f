"""Whether a database has the schema that this code needs; for readiness."""

from collections.abc import Awaitable, Callable

import asyncpg

from shared.contract.schemas import Schema
from shared.postgres.sql import load_sql

_NAMES_TOLD_MAX = 3


class SchemaIsOlder(Exception):
    """The code must not run yet; the text names the missing migrations, and the command that applies them."""


def schema_check(pool: "asyncpg.Pool[asyncpg.Record]", schema: Schema) -> Callable[[], Awaitable[None]]:
    """A check that the database answers and has the migrations. Raises `SchemaIsOlder` or asyncpg's errors.

    Unknown migrations are newer ones, and old code runs on the new schema.
    """

    async def check() -> None:
        missing = await _missing(pool, schema)
        if missing:
            raise SchemaIsOlder(_told(schema, missing))

    return check


async def _missing(pool: "asyncpg.Pool[asyncpg.Record]", schema: Schema) -> list[str]:
    try:
        rows = await pool.fetch(load_sql("shared.postgres", "select_applied_names"))
    except asyncpg.UndefinedTableError:
        return list(schema.needed)
    applied = {row["name"] for row in rows}
    return [name for name in schema.needed if name not in applied]


def _told(schema: Schema, missing: list[str]) -> str:
    named = ", ".join(missing[:_NAMES_TOLD_MAX])
    more = len(missing) - _NAMES_TOLD_MAX
    rest = f" and {more} more" if more > 0 else ""
    return (
        f"the {schema.database} lacks {len(missing)} of {len(schema.needed)} migrations: {named}{rest}; "
        f"run `{schema.command}`"
    )
