"""How many statements wait for a lock of the test's database."""

from typing import Any


async def lock_waits(database: Any, count: int) -> None:
    """Asserts the number."""
    waiting = await database.fetchval(
        "SELECT count(*) FROM pg_stat_activity"
        " WHERE wait_event_type = 'Lock' AND datname = current_database()"
    )
    assert waiting == count
