"""Loads rows that several products share, from several workers.

A loader's transaction holds many products, a batch of them after the other, so no order of keys keeps two
loaders from waiting for each other's rows; and most of what they add goes to the same few rows anyway.
"""

from typing import TYPE_CHECKING

from shared.postgres.sql import load_sql

if TYPE_CHECKING:
    import asyncpg
    from asyncpg.pool import PoolConnectionProxy


async def one_loader_at_a_time(
    connection: "PoolConnectionProxy[asyncpg.Record]", schema: str, view: str
) -> None:
    """Wait until no other loader writes the shared rows of this view; they are locked until the commit."""
    await connection.execute(load_sql("projector.views.postgres", "lock_loading"), f"{schema}.{view}")
