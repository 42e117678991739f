"""Everything that a read can end in other than an answer. `http/problems.py` gives each its HTTP status.

QueryError
  Refused                    the caller's fault, never retried
    ProductNotFound          absent, or deleted
    BadParameter             names the parameter
    MalformedHeader          names the header
    PreconditionFailed       If-Match names other versions
  Unavailable                ours to mend, the caller may try again
    ReadModelBehind          the caller's own write did not become visible in time
    ReadModelUnavailable     the read model does not answer
    Overloaded               a limit is reached, refused before memory grows
CacheUnavailable             never leaves the process: the table answers instead
"""


class QueryError(Exception):
    """A read that ends without an answer."""


class Refused(QueryError):
    """The same request will be refused again."""


class ProductNotFound(Refused):
    """There is no such product, or no longer."""

    def __init__(self, reason: str = "there is no such product") -> None:
        super().__init__(reason)


class BadParameter(Refused):
    """`parameter` of the query string is not acceptable; the text says why."""

    def __init__(self, parameter: str, reason: str, code: str = "invalid") -> None:
        super().__init__(f"{parameter}: {reason}")
        self.parameter = parameter
        self.reason = reason
        self.code = code


class MalformedHeader(Refused):
    """`header` does not have the form that this service gives out or documents."""

    def __init__(self, header: str, reason: str) -> None:
        super().__init__(f"{header}: {reason}")
        self.header = header


class PreconditionFailed(Refused):
    """What the caller wants to read is not what is there now; `current_version` where it has one."""

    def __init__(self, reason: str, current_version: int | None) -> None:
        super().__init__(reason)
        self.current_version = current_version


class Unavailable(QueryError):
    """The same request may be answered later."""


class ReadModelBehind(Unavailable):
    """What the Consistency-Token stands for was not visible within the time that the caller would wait."""


class ReadModelUnavailable(Unavailable):
    """PostgreSQL is away, or took too long."""


class Overloaded(Unavailable):
    """Too much is in progress already."""


class CacheUnavailable(Exception):
    """Redis is away, or the circuit breaker spares it."""
