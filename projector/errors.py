"""Every way in which a projection does not go on; adapters translate their drivers' errors into these, once.

ProjectorError
+-- Unavailable          transient: a server is away, busy or behind; wait, nothing is lost, nothing is parked
+-- Fenced               someone else moved this projection's checkpoint: reload it and go on from there
+-- Refused              permanent: the store will never take these values; the event is found and parked
+-- ParkingIsFull        so much cannot be applied that it is no single bad event: pause, and say so
+-- CannotGoOn           this much stops, loudly, and the rest goes on; the text says what to do
    +-- LogLacksVersions the log has not what a delivered event says came before it: its partition stops
    +-- LogDiffers       the topic and the checkpoint do not speak of the same log: the projection stops
    +-- RebuildIsLocked  another process works on this projection's rebuild: wait for it, or stop it
    +-- RebuildLockLost  the lock's connection is gone: this process stops, the rebuild can be resumed

Anything else is unknown: tried again like a transient error, until its budget ends; then the event is parked.
"""

from collections.abc import Collection


class HistoryDoesNotFold(ValueError):
    """The event cannot follow what came before: an event of a product that is not there, an unknown SKU.

    The one way in which a fold fails. The log's writer never appends such a history, so it is a defect, and
    never skipped.
    """


class UnknownProjection(ValueError):
    """There is no projection of that name; the text names those there are."""


def check_projection(name: str, names: Collection[str]) -> None:
    """Raises `UnknownProjection`."""
    if name not in names:
        raise UnknownProjection(f"no such projection: {name}; there are {', '.join(names)}")


class ProjectorError(Exception):
    """The root; never raised itself."""


class Unavailable(ProjectorError):
    """The same call may succeed later, unchanged."""


class Fenced(ProjectorError):
    """Another instance owns one of the partitions now, or moved past us: nothing was written."""


class Refused(ProjectorError):
    """A value or constraint error of the store: nothing was written."""


class ParkingIsFull(ProjectorError):
    """A bound of parking is reached, or the breaker is open: nothing was written."""


class CannotGoOn(ProjectorError):
    """Waiting will not help and skipping would be wrong."""


class LogDiffers(CannotGoOn):
    """Another log, or a topic that begins after or ends before the checkpoint."""


class LogLacksVersions(CannotGoOn):
    """Raised at the delivered event before which versions are missing everywhere."""

    def __init__(self, partition: int, offset: int, cause: str) -> None:
        super().__init__(cause)
        self.partition = partition
        self.offset = offset


class RebuildIsLocked(CannotGoOn):
    """Nothing was changed. `holder` says who has the lock, where PostgreSQL knows."""

    def __init__(self, projection: str, holder: str) -> None:
        by = f" ({holder})" if holder else ""
        super().__init__(
            f"another process works on the rebuild of {projection}{by}. Wait until it has ended, or stop it; "
            f"then look how far it is: rebuild {projection} --show"
        )


class RebuildLockLost(CannotGoOn):
    """PostgreSQL ended the connection, or another process has taken the lock since."""

    def __init__(self, projection: str) -> None:
        super().__init__(
            f"lost the lock on the rebuild of {projection}: its connection to PostgreSQL has ended. "
            f"What was done is kept; look how far it is: rebuild {projection} --show"
        )
