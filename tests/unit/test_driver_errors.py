"""Every exception class of each driver has its class: a new one of a new release is noticed here.

Which errors a lost connection really raises is tried out in `tests/integration/test_cut_connections.py`.
"""

import inspect
from types import ModuleType

import aiokafka.errors
import asyncpg
import pytest
import redis.exceptions

from projector.errors import RedisIsAway, Refused, Unavailable
from projector.views.product_cache.redis.failures import translated
from shared.kafka.errors import KAFKA_IS_AWAY, PRODUCER_HAS_DIED
from shared.ops.closed_transport import is_closed_transport
from shared.postgres.errors import is_permanent_data_error, is_transient, is_unavailable
from shared.redis import errors as redis_errors

CLOSED_TRANSPORT = RuntimeError(
    "unable to perform operation on <TCPTransport closed=True reading=False 0x55>; the handler is closed"
)


def classes_of(module: ModuleType) -> dict[str, type[Exception]]:
    return {
        name: found
        for name, found in vars(module).items()
        if inspect.isclass(found) and issubclass(found, Exception) and not issubclass(found, Warning)
    }


# --- asyncpg -------------------------------------------------------------------------------------

# Not told by an SQLSTATE: by their text, or never.
ASYNCPG_WITHOUT_SQLSTATE = {
    "ClientConfigurationError": False,
    "FatalPostgresError": False,
    "InterfaceError": False,
    "InternalClientError": False,
    "OutdatedSchemaCacheError": True,
    "PostgresError": False,
    "ProtocolError": False,
    "TargetServerAttributeNotMatched": True,
    "UnknownPostgresError": False,
    "UnsupportedClientFeatureError": False,
    "UnsupportedServerFeatureError": False,
}
ASYNCPG_TRANSIENT = {
    # 08: the connection
    "ClientCannotConnectError", "ConnectionDoesNotExistError", "ConnectionFailureError",
    "ConnectionRejectionError", "PostgresConnectionError", "ProtocolViolationError",
    "TransactionResolutionUnknownError",
    # 28: log-in
    "InvalidAuthorizationSpecificationError", "InvalidPasswordError",
    # 25006
    "ReadOnlySQLTransactionError",
    # 40001, 40P01
    "DeadlockDetectedError", "SerializationError",
    # 53
    "ConfigurationLimitExceededError", "DiskFullError", "InsufficientResourcesError", "OutOfMemoryError",
    "TooManyConnectionsError",
    # 55P03
    "LockNotAvailableError",
    # 57P01 to 57P05
    "AdminShutdownError", "CannotConnectNowError", "CrashShutdownError", "DatabaseDroppedError",
    "IdleSessionTimeoutError",
    # A missing migration or database: 3D000, 3F000, 42501, 42703, 42704, 42883, 42P01
    "InsufficientPrivilegeError", "InvalidCatalogNameError", "InvalidSchemaNameError", "UndefinedColumnError",
    "UndefinedFunctionError", "UndefinedObjectError", "UndefinedTableError",
    # A migration in the middle of a transaction.
    "InvalidCachedStatementError",
}  # fmt: skip


@pytest.mark.parametrize(("severity", "expected"), [("FATAL", True), ("ERROR", False)])
def test_a_database_that_takes_no_connections_is_waited_for(severity: str, expected: bool) -> None:
    said = {"S": severity, "V": severity, "C": "55000", "M": "is not currently accepting connections"}
    assert is_transient(asyncpg.PostgresError.new(said)) is expected


def test_each_class_of_asyncpg_has_its_class() -> None:
    found = classes_of(asyncpg.exceptions)
    without = {name for name, one in found.items() if getattr(one, "sqlstate", None) is None}
    assert without == set(ASYNCPG_WITHOUT_SQLSTATE)
    assert {name: is_transient(found[name]("x")) for name in without} == ASYNCPG_WITHOUT_SQLSTATE
    assert {name for name in set(found) - without if is_transient(found[name]("x"))} == ASYNCPG_TRANSIENT
    for name, one in found.items():
        assert not (is_transient(one("x")) and is_permanent_data_error(one("x"))), name


def test_a_statement_time_out_is_an_outage_though_not_transient() -> None:
    found = {name: one("x") for name, one in classes_of(asyncpg.exceptions).items()}
    unavailable = {name for name, error in found.items() if is_unavailable(error)}
    assert unavailable - {name for name, error in found.items() if is_transient(error)} == {
        "QueryCanceledError"
    }
    assert is_unavailable(CLOSED_TRANSPORT)


@pytest.mark.parametrize(
    ("error", "passes"),
    [
        (asyncpg.InterfaceError("cannot perform operation: connection is closed"), True),
        (asyncpg.InterfaceError("cannot perform operation: another operation is cancelling"), True),
        (asyncpg.InterfaceError("cannot call X(): the underlying connection is closed"), True),
        (asyncpg.InterfaceError("pool is closing"), True),
        (asyncpg.InterfaceError("cannot perform operation: another operation is in progress"), False),
        (asyncpg.InternalClientError("no state 15; another operation (2) is in progress"), True),
        (asyncpg.InternalClientError("no state 11; another operation (3) is in progress"), True),
        (asyncpg.InternalClientError("no state 12; another operation (4) is in progress"), True),
        (asyncpg.InternalClientError("no state 12; another operation (15) is in progress"), False),
        (asyncpg.InternalClientError('no state 12; protocol is in the "failed" state'), True),
        (asyncpg.InternalClientError("not connected"), True),
        (asyncpg.InternalClientError("got result for unknown protocol state 3"), False),
        (CLOSED_TRANSPORT, True),
        (RuntimeError("Event loop is closed"), False),
    ],
)  # fmt: skip
def test_what_asyncpg_says_in_words_alone_has_its_class(error: Exception, passes: bool) -> None:
    assert is_transient(error) is passes


# --- redis-py ------------------------------------------------------------------------------------

REDIS_TRANSIENT = {
    "BusyLoadingError", "ClusterDownError", "ConnectionError", "ExternalAuthProviderError", "InvalidResponse",
    "MasterDownError", "MaxConnectionsError", "NoScriptError", "ReadOnlyError", "TimeoutError",
    "TryAgainError",
}  # fmt: skip
# Of these: an answer, so Redis is not away; readers may still get old documents from it.
REDIS_ANSWERS = {
    "ClusterDownError", "MasterDownError", "NoScriptError", "ReadOnlyError", "TryAgainError",
}  # fmt: skip
# An operator mends them; nobody's value is at fault.
REDIS_MISTAKES = {
    "AskError", "AuthenticationError", "AuthorizationError", "ClusterCrossSlotError", "MovedError",
    "NoPermissionError",
}  # fmt: skip
REDIS_REFUSED = {
    "AuthenticationWrongNumberOfArgsError", "ExecAbortError", "ModuleError", "NoSuchFieldsetError",
    "ResponseError",
}  # fmt: skip
REDIS_BUGS = {
    "ChildDeadlockedError", "ClusterError", "CrossSlotTransactionError", "DataError", "IncorrectPolicyType",
    "InvalidPipelineStack", "LockError", "LockNotOwnedError", "PubSubError", "RedisClusterException",
    "RedisError", "SlotNotCoveredError", "WatchError",
}  # fmt: skip


def redis_error(name: str) -> Exception:
    return classes_of(redis.exceptions)[name](
        "1 127.0.0.1:7000"
    )  # what a moved slot says; others take any text


def what_becomes_of(error: Exception) -> type[BaseException]:
    """In the projector."""
    try:
        with translated():
            raise error
    except Exception as raised:
        return type(raised)


def test_each_class_of_redis_py_has_its_class() -> None:
    found = set(classes_of(redis.exceptions))
    assert found == REDIS_TRANSIENT | REDIS_MISTAKES | REDIS_REFUSED | REDIS_BUGS | {"OutOfMemoryError"}
    assert {name for name in found if redis_errors.is_transient(redis_error(name))} == REDIS_TRANSIENT
    assert {name for name in found if redis_errors.is_mistake(redis_error(name))} == REDIS_MISTAKES
    became = {name: what_becomes_of(redis_error(name)) for name in found}
    assert {name for name, one in became.items() if one is RedisIsAway} == REDIS_TRANSIENT - REDIS_ANSWERS
    waits = REDIS_ANSWERS | REDIS_MISTAKES | {"OutOfMemoryError"}
    assert {name for name, one in became.items() if one is Unavailable} == waits
    assert {name for name, one in became.items() if one is Refused} == REDIS_REFUSED


@pytest.mark.parametrize(
    "answer",
    ["LOADING Redis is loading the dataset in memory", "ERR max number of clients reached"],
)
def test_a_redis_that_serves_nobody_now_is_away(answer: str) -> None:
    from redis._parsers.base import BaseParser

    assert what_becomes_of(BaseParser.parse_error(answer)) is RedisIsAway


@pytest.mark.parametrize(
    "answer",
    [
        "OOM command not allowed when used memory > 'maxmemory'.",
        "MISCONF Redis is configured to save RDB snapshots, but it's currently unable to persist to disk.",
        "NOREPLICAS Not enough good replicas to write.",
        "BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.",
        "READONLY You can't write against a read only replica.",
        "NOSCRIPT No matching script. Please use EVAL.",
        "NOPERM this user has no permissions to run the 'set' command",
        "NOAUTH Authentication required.",
    ],
)
def test_a_redis_that_cannot_write_now_parks_nothing(answer: str) -> None:
    """As redis-py makes an error of the answer."""
    from redis._parsers.base import BaseParser

    assert what_becomes_of(BaseParser.parse_error(answer)) is Unavailable


def test_a_value_that_redis_refuses_is_parked_and_a_bug_stays_one() -> None:
    assert what_becomes_of(redis.exceptions.ResponseError("WRONGTYPE Operation against a key")) is Refused
    assert what_becomes_of(KeyError("x")) is KeyError
    assert what_becomes_of(CLOSED_TRANSPORT) is RedisIsAway


# --- aiokafka ------------------------------------------------------------------------------------

AIOKAFKA_BUGS = {"ConsumerStoppedError", "IllegalOperation"}


def test_each_class_of_aiokafka_means_that_kafka_is_away_but_for_two() -> None:
    found = classes_of(aiokafka.errors)
    assert {name for name, one in found.items() if not issubclass(one, KAFKA_IS_AWAY)} == AIOKAFKA_BUGS
    for error in (ConnectionResetError(), TimeoutError(), EOFError()):
        assert isinstance(error, KAFKA_IS_AWAY)
    assert isinstance(AssertionError(), PRODUCER_HAS_DIED)


def test_only_uvloops_words_mean_a_closed_transport() -> None:
    assert is_closed_transport(CLOSED_TRANSPORT)
    assert not is_closed_transport(RuntimeError("read() called while another coroutine is already waiting"))
    assert not is_closed_transport(ValueError("the handler is closed"))
