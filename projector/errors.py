"""All errors that hold up a projection. Adapters translate their drivers' errors into these, in one place.

ProjectorError
+-- Unavailable          transient: a server cannot be reached, is busy or behind: wait; nothing is parked
|   +-- RedisIsAway      the same, and the server is Redis: then readers are served from PostgreSQL
|   +-- NotYet           the same, and nothing is wrong: what it needs is being made
+-- Fenced               another process moved this projection's checkpoint: reload it and continue there
+-- PassedOver           records before a delivered one were not delivered: the same
+-- Refused              permanent: the store never accepts these values; the event is found and parked
+-- ParkingIsFull        too many products fail for a few bad events: the projection waits and says so
+-- CannotGoOn           this part stops and is logged, the rest goes on; the text says what to do
    +-- LogLacksVersions versions before a delivered event are not in the log: its partition stops
    +-- LogDiffers       the topic and the checkpoint belong to different logs: the projection stops
    +-- RebuildIsLocked  another process works on this projection's rebuild: wait for it, or stop it
    +-- RebuildLockLost  the lock's connection has ended: this process stops, the rebuild can be resumed

Any other error is unknown: retried like a transient one until its budget ends; then the event is parked.
"""

from collections.abc import Collection

# The one way in which a fold fails.
from shared.contract.product_fold import HistoryDoesNotFold as HistoryDoesNotFold


class UnknownProjection(ValueError):
    """There is no projection with that name; the text lists the known ones."""


class UnknownPartition(ValueError):
    """There is no such partition, or no such record in it; the text says what there is."""


def check_projection(name: str, names: Collection[str]) -> None:
    """Raises `UnknownProjection`."""
    if name not in names:
        raise UnknownProjection(f"no such projection: {name}; known projections: {', '.join(names)}")


class ProjectorError(Exception):
    """The root; never raised itself."""


class Unavailable(ProjectorError):
    """The same call may succeed later, unchanged."""


class RedisIsAway(Unavailable):
    """Redis does not answer; a Redis that answers with an error is not away."""


class NotYet(Unavailable):
    """What this part needs is being made; the text says by what."""


class Fenced(ProjectorError):
    """Another process owns one of the partitions, or has moved its checkpoint on: nothing was written."""


class PassedOver(ProjectorError):
    """Records before a delivered one were lost on their way, or do not exist. Nothing was applied."""


class Refused(ProjectorError):
    """A value or constraint error of the store: nothing was written."""


class ParkingIsFull(ProjectorError):
    """A limit of parking is reached, or the breaker is open: nothing was written."""


class CannotGoOn(ProjectorError):
    """Waiting will not help and skipping would be wrong."""


class LogDiffers(CannotGoOn):
    """Another log, or a topic that begins after or ends before the checkpoint."""


class LogLacksVersions(CannotGoOn):
    """Raised at a delivered event if versions before it are neither in Kafka nor in the log."""

    def __init__(self, partition: int, offset: int, cause: str) -> None:
        super().__init__(cause)
        self.partition = partition
        self.offset = offset


class RebuildIsLocked(CannotGoOn):
    """Nothing was changed. `holder`: who has the lock, if PostgreSQL knows."""

    def __init__(self, projection: str, holder: str) -> None:
        by = f" ({holder})" if holder else ""
        super().__init__(
            f"another process works on the rebuild of {projection}{by}. Wait until it has ended, or stop it; "
            f"to see its progress: rebuild {projection} --show"
        )


class RebuildLockLost(CannotGoOn):
    """The lock's connection ended, and another process may have taken the lock since."""

    def __init__(self, projection: str) -> None:
        super().__init__(
            f"lost the lock on the rebuild of {projection}: its connection to PostgreSQL has ended. "
            f"Its progress is stored; to see it: rebuild {projection} --show"
        )
