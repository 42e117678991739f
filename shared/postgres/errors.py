"""Which PostgreSQL errors pass by themselves, and which never will: the one table that decides retry or dead
letter.

| SQLSTATE        | meaning                                        | class          |
|-----------------|------------------------------------------------|----------------|
| 08xxx           | connection failure                             | transient      |
| 25006           | read-only transaction: a replica, or fail-over | transient      |
| 40001, 40P01    | serialization failure, deadlock                | transient      |
| 53xxx           | out of connections, memory, disk               | transient      |
| 55P03           | lock_timeout                                   | transient      |
| 57P01 .. 57P05  | shutdown, crash, starting up, idle time-out    | transient      |
| 22xxx           | data exception: text, number, encoding         | permanent data |
| 23xxx           | integrity constraint                           | permanent data |
| everything else | a bug or a missing migration                   | neither: loud  |

A DSN with several hosts and `target_session_attrs` finds no primary during a fail-over: transient too.
57014 (statement_timeout, cancel) is neither on purpose: a statement that is too slow once is too slow again.
Source: https://www.postgresql.org/docs/current/errcodes-appendix.html.
"""

import asyncpg

_TRANSIENT_CLASSES = ("08", "53")
_TRANSIENT_CODES = frozenset(
    {"25006", "40001", "40P01", "55P03", "57P01", "57P02", "57P03", "57P04", "57P05"}
)
_PERMANENT_DATA_CLASSES = ("22", "23")
# asyncpg reports a wrong use of its API and a dead connection with the same class; only the text tells them
# apart.
_DEAD_CONNECTION_TEXTS = (
    "connection is closed",
    "connection was closed",
    # What a holder hears after the server ended a connection that it had acquired from a pool.
    "connection has been released",
    "pool is clos",
)
# The server's farewell (57P01) has arrived, the end of the connection not yet: asyncpg still waits for it in
# its state 2, PROTOCOL_ERROR_CONSUME, and refuses the next statement as if that were a bug of its own.
_ENDED_SESSION_TEXTS = (
    "another operation (2) is in progress",
    # Lost at the moment of its release to the pool.
    "called on a free connection holder",
)


def is_transient(error: BaseException) -> bool:
    """Whether the same call may succeed later, unchanged: the server is away, busy, or chose another
    transaction.

    True also for OSError and TimeoutError (a client-side time-out says nothing about the outcome: only retry
    what is idempotent).
    """
    if isinstance(error, asyncpg.PostgresError):
        code = error.sqlstate or ""
        return code.startswith(_TRANSIENT_CLASSES) or code in _TRANSIENT_CODES
    if isinstance(error, asyncpg.InterfaceError):
        return any(text in str(error) for text in _DEAD_CONNECTION_TEXTS)
    if isinstance(error, asyncpg.InternalClientError):
        return any(text in str(error) for text in _ENDED_SESSION_TEXTS)
    return isinstance(error, OSError | TimeoutError | asyncpg.TargetServerAttributeNotMatched)


def is_permanent_data_error(error: BaseException) -> bool:
    """Whether these values can never be stored: park or refuse, but do not try again."""
    return isinstance(error, asyncpg.PostgresError) and (error.sqlstate or "").startswith(
        _PERMANENT_DATA_CLASSES
    )
