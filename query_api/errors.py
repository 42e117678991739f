"""The errors of a read. `http/problems.py` gives each its HTTP status.

QueryError
  Refused                    the caller's fault, never retried
    ProductNotFound          absent, or deleted
    ImportNotFound           no import with this id has been reported
    PriceNotFound            there was none in the time asked about
    BadParameter             names the parameter
    MalformedHeader          names the header
    PreconditionFailed       If-Match names other versions
    NotAcceptable            the client refuses every form of the answer
    PositionNotReached       the log ends before the caller's place in it
    AnotherLog               the caller's place is in another log
    EventsArchived           the next events are no longer in the log
    NotAllowed               the token lacks a scope that this request needs beyond its route's
  Unavailable                not the caller's fault; the caller may try again
    ReadModelBehind          the caller's own write did not become visible in time
    ReadModelUnavailable     the read model does not answer
      ListTooSlow            it answers, and has not made this list in time
    EventLogUnavailable      the event log, of which past and feed are read, does not answer
    HistoryTooLong           more events than one request may fold, because snapshots are missing
    HistoryUnreadable        an event that this release cannot read, or that does not follow the earlier ones
    SearchUnavailable        there is no search index yet, or it cannot answer
      SearchEngineFailed     why it cannot, for operators
    Overloaded               a limit is reached, refused before memory grows
CacheUnavailable             never an answer: the table answers instead
"""

from shared.access.scopes import Scope


class QueryError(Exception):
    """A read that ends without an answer."""


class Refused(QueryError):
    """The same request will be refused again."""


class ProductNotFound(Refused):
    """The product does not exist, or was deleted."""

    def __init__(self, reason: str = "there is no such product") -> None:
        super().__init__(reason)


class ImportNotFound(Refused):
    """No import with this id has been reported, or it is among the older ones that are not kept."""

    def __init__(self) -> None:
        super().__init__("there is no such import")


class PriceNotFound(Refused):
    """The product had no price of that kind in that time."""


class BadParameter(Refused):
    """`parameter` of the query string is not acceptable; the text says why."""

    def __init__(self, parameter: str, reason: str, code: str = "invalid") -> None:
        super().__init__(f"{parameter}: {reason}")
        self.parameter = parameter
        self.reason = reason
        self.code = code


class MalformedHeader(Refused):
    """`header` does not have the documented form."""

    def __init__(self, header: str, reason: str) -> None:
        super().__init__(f"{header}: {reason}")
        self.header = header


class PreconditionFailed(Refused):
    """If-Match does not name the present version, which is `current_version` if there is one."""

    def __init__(self, reason: str, current_version: int | None) -> None:
        super().__init__(reason)
        self.current_version = current_version


class NotAcceptable(Refused):
    """The client's Accept-Encoding refuses every coding of the answer."""


class PositionNotReached(Refused):
    """The log ends before the position from which the caller goes on."""


class AnotherLog(Refused):
    """The caller has followed another log: its position means nothing here."""


class EventsArchived(Refused):
    """Events after the caller's position are in removed partitions of the log."""


class NotAllowed(Refused):
    """The token lacks `scope`."""

    def __init__(self, scope: Scope) -> None:
        super().__init__(f"the token needs the scope {scope}")
        self.scope = scope


class Unavailable(QueryError):
    """The same request may be answered later."""


class ReadModelBehind(Unavailable):
    """The write of the Consistency-Token did not become visible within the caller's wait."""


class ReadModelUnavailable(Unavailable):
    """PostgreSQL is unavailable, or took too long."""


class ListTooSlow(ReadModelUnavailable):
    """PostgreSQL has ended the statement of a list, because its time was over."""

    def __init__(self) -> None:
        super().__init__(
            "PostgreSQL did not make this list in time; without the search index (SEARCH=off), lists with"
            " filters or by price take long in a large catalogue"
        )


class EventLogUnavailable(Unavailable):
    """The PostgreSQL of the event log is unavailable, or took too long. The past and the feed need it."""


class HistoryTooLong(Unavailable):
    """From the last snapshot to what is asked for are more events than one request may fold."""


class HistoryUnreadable(Unavailable):
    """An event of the stream is of a newer release, or a defect."""


class SearchUnavailable(Unavailable):
    """This process has no search index yet, or the engine cannot answer."""


class SearchEngineFailed(SearchUnavailable):
    """The engine did not answer, or refused. The text is its own: for operators, not for callers."""


class Overloaded(Unavailable):
    """Too many requests or reads are in progress. `reason` is for the metric."""

    def __init__(self, reason: str, text: str) -> None:
        super().__init__(text)
        self.reason = reason


class CacheUnavailable(Exception):
    """Redis is unavailable, or the circuit breaker is open."""
