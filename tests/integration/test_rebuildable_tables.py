"""Each view's tables stand in `views.rebuildable_table`, so that it can be rebuilt and verified."""

import asyncpg
import pytest

from tests.servers import DatabaseDsns
from tests.table_projections import TABLES

pytestmark = pytest.mark.servers


async def test_the_migrations_name_the_tables_of_each_view_for_its_rebuild(
    read_model_dsns: DatabaseDsns,
) -> None:
    connection = await asyncpg.connect(read_model_dsns.projector)
    try:
        rows = await connection.fetch("SELECT projection, table_name FROM views.rebuildable_table")
    finally:
        await connection.close()
    for name, projection in TABLES.items():
        migrated = {row["table_name"] for row in rows if row["projection"] == name}
        names = set(projection.make_tables("views").names)
        assert migrated == names, f"{name}: add its tables to views.rebuildable_table in a migration"
