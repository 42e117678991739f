"""Recognises uvloop's error for a lost connection: a RuntimeError at the next write; asyncio raises nothing.

No driver expects it: asyncpg, redis-py and aiokafka pass it on, or one of their tasks dies.
"""

_TEXT = "the handler is closed"


def is_closed_transport(error: BaseException) -> bool:
    """Whether this error means a write to a connection that has ended. Source: uvloop,
    `UVHandle._ensure_alive`.
    """
    return isinstance(error, RuntimeError) and _TEXT in str(error)
