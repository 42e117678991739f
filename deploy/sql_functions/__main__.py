"""`python -m deploy.sql_functions command_api|projector TITLE`: writes changed functions into a migration.

The command starts a PostgreSQL of its own, applies the existing migrations, and compares the functions with
their files.
"""

import argparse
import asyncio
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import asyncpg

from deploy.local.errors import LocalStackError
from deploy.local.ports import free_port
from deploy.local.postgres import OWNER, PostgresServer
from deploy.sql_functions.drift import Drift, drifts
from deploy.sql_functions.migration import CannotWrite, write_migration
from shared.ops.program import end_with
from shared.postgres.migrations import MigrationError, migrate

_ROOT = Path(__file__).parents[2]
_DATABASES = {"command_api": "event_store", "projector": "read_model"}


async def _compared(dsn: str, package: str, files: Sequence[Path]) -> list[Drift]:
    await migrate(dsn, package)
    connection = await asyncpg.connect(dsn)
    try:
        return await drifts(connection, files)
    finally:
        await connection.close()


def main() -> int:
    """Exit code 0: the migration is written, its name printed; 1: nothing is written, the reason printed."""
    parser = argparse.ArgumentParser(prog="python -m deploy.sql_functions", description=__doc__)
    parser.add_argument("of", choices=sorted(_DATABASES), help="the package of the functions")
    parser.add_argument("title", help="the title of the migration: NNNN_before_deploy_TITLE.sql")
    given = parser.parse_args()
    folder = _ROOT / given.of / "postgres"
    with tempfile.TemporaryDirectory(prefix="product-catalogue-functions-") as made:
        Path(made).chmod(0o711)  # PostgreSQL does not run as root, and must be able to read its data
        server = PostgresServer(Path(made) / "postgres", free_port(), Path(made) / "postgres.log")
        try:
            server.start()
            dsn = server.dsn(OWNER, _DATABASES[given.of])
            package, files = f"{given.of}.postgres", list((folder / "functions").glob("*.sql"))
            found = asyncio.run(_compared(dsn, package, files))
            written = write_migration(package, folder / "migrations", given.title, found)
        except (LocalStackError, MigrationError, CannotWrite) as error:
            print(error, file=sys.stderr)
            return 1
        finally:
            server.stop()
    print(f"{written.relative_to(_ROOT)}: add the reason in its first lines")
    return 0


if __name__ == "__main__":
    end_with(main)
