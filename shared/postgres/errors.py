"""The table of PostgreSQL errors, transient and permanent: it decides between retry and dead letter.

| SQLSTATE        | meaning                                        | class          |
|-----------------|------------------------------------------------|----------------|
| 08xxx           | connection failure                             | transient      |
| 28xxx           | wrong password or user, no client certificate  | transient      |
| 25006           | read-only transaction: a replica, or fail-over | transient      |
| 40001, 40P01    | serialization failure, deadlock                | transient      |
| 3D000, 3F000,   | no such database, schema, table, column,       | transient      |
| 42501, 42703,   | function, type; no right to it: a migration is |                |
| 42704, 42883,   | missing                                        |                |
| 42P01           |                                                |                |
| 53xxx           | out of connections, memory, disk               | transient      |
| 55P03           | lock_timeout                                   | transient      |
| 55000, FATAL    | the database takes no connections for now      | transient      |
| 57P01 .. 57P05  | shutdown, crash, starting up, idle time-out    | transient      |
| 22xxx           | data exception: text, number, encoding         | permanent data |
| 23xxx           | integrity constraint                           | permanent data |
| everything else | a bug                                          | neither: loud  |

Errors without an SQLSTATE, which asyncpg or the event loop raises by itself:

| error                                   | meaning                                             | class     |
|-----------------------------------------|-----------------------------------------------------|-----------|
| OSError, with TimeoutError and SSLError | refused, reset, no answer in time                   | transient |
| InterfaceError, by its text             | the connection or pool is closed, released, or      | transient |
|                                         | waits for the end of a statement that was cancelled |           |
| InternalClientError, by its text        | the server has ended the session, and asyncpg is    | transient |
|                                         | between its last message and the connection's end   |           |
| OutdatedSchemaCacheError,               | a migration has changed a table that the connection | transient |
| InvalidCachedStatementError             | knows: asyncpg forgets what it knew, so a retry     |           |
|                                         | succeeds                                            |           |
| TargetServerAttributeNotMatched         | no primary among the hosts: a fail-over             | transient |
| RuntimeError of uvloop                  | a write to a connection that has ended              | transient |
| every other InterfaceError,             | a wrong use of asyncpg, a wrong DSN, a type or a    | loud      |
| InternalClientError, ProtocolError ...  | server that it cannot speak to                      |           |

A DSN with several hosts and `target_session_attrs` finds no primary during a fail-over: transient too.
28xxx comes at log-in alone. An operator must act, but waiting is right: while a password is rotated, server
and process have different ones for a moment, and no command or event is at fault.
A missing migration is waited for as a server is: no command and no event is at fault, and when the schema is
there the same call succeeds. A misspelt name cannot hide there: a test prepares every statement.
57014 (statement_timeout, cancel) is neither on purpose: a statement that is too slow once is too slow again.
For the caller of a small statement it is an outage all the same: `is_unavailable`.
Source: https://www.postgresql.org/docs/current/errcodes-appendix.html.
"""

import asyncpg

from shared.ops.closed_transport import is_closed_transport

_LOG_IN = "28"
# A migration, or the database itself.
_MISSING = frozenset({"3D000", "3F000", "42501", "42703", "42704", "42883", "42P01"})
_TRANSIENT_CLASSES = ("08", _LOG_IN, "53")
_TRANSIENT_CODES = frozenset(
    {"25006", "40001", "40P01", "55P03", "57P01", "57P02", "57P03", "57P04", "57P05"} | _MISSING
)
_NOT_IN_THIS_STATE = "55000"
_PERMANENT_DATA_CLASSES = ("22", "23")
# asyncpg reports a wrong use of its API and a dead connection with the same class; only the text differs.
_DEAD_CONNECTION_TEXTS = (
    "connection is closed",
    "connection was closed",
    # The error of a connection from a pool after the server has ended it.
    "connection has been released",
    "pool is clos",
    # Its cancellation has not been answered yet, and never will be if the server is lost.
    "another operation is cancelling",
)
# The server's last message (57P01) has arrived, but not the end of the connection: asyncpg waits for it in
# its state 2, PROTOCOL_ERROR_CONSUME, and refuses the next statement as if that were its own bug. It does
# the same in state 3 (a cancelled statement has not ended), in 4 (it is terminating), and after a failure.
_ENDED_SESSION_TEXTS = (
    "another operation (2) is in progress",
    "another operation (3) is in progress",
    "another operation (4) is in progress",
    'protocol is in the "failed" state',
    "not connected",
    # The connection was lost while it was released to the pool.
    "called on a free connection holder",
)


def is_transient(error: BaseException) -> bool:
    """Whether the same call may succeed later: the server is unavailable or busy, or it has preferred another
    transaction.

    True also for OSError, with TimeoutError. After a client-side time-out the outcome is unknown: only an
    idempotent call may be tried again.
    """
    if isinstance(error, asyncpg.InvalidCachedStatementError | asyncpg.OutdatedSchemaCacheError):
        return True
    if isinstance(error, asyncpg.PostgresError):
        code = error.sqlstate or ""
        if code == _NOT_IN_THIS_STATE:
            # At log-in: somebody copies the database, or renames it. In a statement it would be a bug.
            return error.severity_en == "FATAL"
        return code.startswith(_TRANSIENT_CLASSES) or code in _TRANSIENT_CODES
    if isinstance(error, asyncpg.InterfaceError):
        return any(text in str(error) for text in _DEAD_CONNECTION_TEXTS)
    if isinstance(error, asyncpg.TargetServerAttributeNotMatched):
        return True
    if isinstance(error, asyncpg.InternalClientError):
        return any(text in str(error) for text in _ENDED_SESSION_TEXTS)
    return isinstance(error, OSError) or is_closed_transport(error)


def ends_by_itself(error: BaseException | None) -> bool:
    """Whether it is transient and needs nobody: a command may wait for that, but tells its operator at once
    about a wrong password or a database that is not there. None: no.
    """
    if error is None or not is_transient(error):
        return False
    code = (error.sqlstate or "") if isinstance(error, asyncpg.PostgresError) else ""
    return not (code.startswith(_LOG_IN) or code in _MISSING)


def is_unavailable(error: BaseException) -> bool:
    """Whether the server is unavailable for the caller of a small statement: a transient error, or the server
    was too slow and ended the statement (statement_timeout).
    """
    return is_transient(error) or isinstance(error, asyncpg.QueryCanceledError)


def is_permanent_data_error(error: BaseException) -> bool:
    """Whether these values can never be stored: park or refuse them, but do not try again."""
    return isinstance(error, asyncpg.PostgresError) and (error.sqlstate or "").startswith(
        _PERMANENT_DATA_CLASSES
    )
