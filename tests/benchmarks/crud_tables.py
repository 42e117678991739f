"""Create the comparison's tables: `python -m tests.benchmarks.crud_tables`, with CRUD_DSN."""

import asyncio

from tests.benchmarks.crud_app import Table, engine


async def main() -> None:
    """Once, before its server starts."""
    async with engine.begin() as connection:
        await connection.run_sync(Table.metadata.create_all)
    await engine.dispose()


if __name__ == "__main__":
    asyncio.run(main())
