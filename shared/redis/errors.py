"""The table of redis-py's errors, transient and others; the most special class in it decides.

| error of redis-py                            | meaning                                       | class       |
|----------------------------------------------|-----------------------------------------------|-------------|
| ConnectionError and its subclasses:          | refused, ended, half-closed, no place free,   | transient   |
| MaxConnectionsError, BusyLoadingError,       | loading its data, an LDAP server unavailable  |             |
| ExternalAuthProviderError                    |                                               |             |
| AuthenticationError, AuthorizationError      | wrong password, unknown user, useless address | a mistake   |
| TimeoutError                                 | no answer in time                             | transient   |
| InvalidResponse                              | the stream of answers broke in the middle     | transient   |
| ReadOnlyError, MasterDownError,              | a fail-over, in all its stages                | transient   |
| ClusterDownError, TryAgainError              |                                               |             |
| NoScriptError                                | Redis restarted between LOAD and EVALSHA      | transient   |
| BUSY, NOREPLICAS, MISCONF, OutOfMemoryError  | Redis is available, but refuses writes now    | no writes   |
| NoPermissionError                            | a right is missing                            | a mistake   |
| AskError, MovedError, ClusterCrossSlotError  | `redis://` leads to a node of a cluster       | a mistake   |
| every other ResponseError                    | the command, or its value, is wrong           | refused     |
| everything else                              | a wrong use of redis-py: a bug                | loud        |

OSError counts as transient (the standard TimeoutError is one), and so does uvloop's RuntimeError for a
connection that has ended. If redis-py has no class for an error answer, its first word is still in the text;
if it has one (OOM), the word is removed.
"""

from redis.exceptions import (
    AskError,
    AuthenticationError,
    AuthorizationError,
    ClusterCrossSlotError,
    ClusterDownError,
    ConnectionError,  # noqa: A004 - redis-py's own, not the built-in
    InvalidResponse,
    NoPermissionError,
    NoScriptError,
    OutOfMemoryError,
    ReadOnlyError,
    ResponseError,
    TimeoutError,  # noqa: A004
    TryAgainError,
)

from shared.ops.closed_transport import is_closed_transport

_TRANSIENT = (
    ConnectionError,
    TimeoutError,
    InvalidResponse,
    ReadOnlyError,
    ClusterDownError,
    TryAgainError,
    NoScriptError,
    OSError,
)
_MISTAKES = (AuthenticationError, AuthorizationError, NoPermissionError, AskError, ClusterCrossSlotError)
_NO_WRITES_NOW = ("BUSY ", "NOREPLICAS", "MISCONF")


def is_transient(error: BaseException) -> bool:
    """Whether Redis is unavailable, loading, failing over or out of connections: use the table, or try later.

    Authentication and permission errors are configuration mistakes, although redis-py calls some of them
    connection errors, and stay loud.
    """
    if is_mistake(error):
        return False
    return isinstance(error, _TRANSIENT) or is_closed_transport(error)


def is_mistake(error: BaseException) -> bool:
    """Whether an operator must repair an address, a password, a user or a right; the values are not wrong."""
    return isinstance(error, _MISTAKES)


def takes_no_writes(error: BaseException) -> bool:
    """Whether Redis is available but refuses all writes for now: it is full, without replicas, or busy."""
    if isinstance(error, OutOfMemoryError):
        return True
    return isinstance(error, ResponseError) and str(error).startswith(_NO_WRITES_NOW)
