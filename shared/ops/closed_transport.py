"""How uvloop says that a connection is gone: by a RuntimeError at the next write, where asyncio says nothing.

No driver expects it: asyncpg, redis-py and aiokafka let it through, or die of it.
"""

_TEXT = "the handler is closed"


def is_closed_transport(error: BaseException) -> bool:
    """Whether somebody wrote to a connection that has ended. Source: uvloop, `UVHandle._ensure_alive`."""
    return isinstance(error, RuntimeError) and _TEXT in str(error)
