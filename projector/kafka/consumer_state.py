"""Whether one projection runs, and if not, why: for its consumer, for readiness, and for operators."""

from collections.abc import Sequence

from projector.control.ports import WAITS_FOR_KAFKA, Control, PartitionLag
from projector.errors import Unavailable
from projector.kafka.named_member import NamedMember
from projector.kafka.placement import STOPPED, Placement
from projector.waiting import Waiting
from shared.ops.health import OnlyAnOperatorHelps

UNKNOWN_REVISION = -1
"""Until operators' requests are read for the first time."""


class ConsumerState:
    """The state of one consumer. Without any I/O."""

    def __init__(self, member: NamedMember) -> None:
        self.member = member
        self.placement = Placement()
        self.waiting = Waiting()
        self.control = Control(is_paused=False, revision=UNKNOWN_REVISION)
        self.stopped_because: str | None = None
        self.measured: Sequence[PartitionLag] = ()

    @property
    def is_held(self) -> bool:
        """Nothing is read until an operator acts."""
        return self.stopped_because is not None or self.control.is_paused

    def revoke(self) -> None:
        """Another process may have the partitions now, and what they wait for."""
        self.placement.revoke()
        self.waiting.forget()

    def check(self) -> None:
        """For readiness. Raises `OnlyAnOperatorHelps` for a stop or another process with our name, and
        `Unavailable` for other trouble.
        """
        trouble = self.trouble()
        if trouble is None:
            return
        if self.stopped_because is not None or self.member.trouble() or self.placement.stops:
            raise OnlyAnOperatorHelps(trouble)
        raise Unavailable(trouble)

    def trouble(self) -> str | None:
        """Why it is not ready; a pause by an operator does not count."""
        if self.stopped_because is not None:
            return f"{STOPPED}{self.stopped_because}"
        if robbed := self.member.trouble():
            return robbed
        if self.control.is_paused:
            return None
        if self.placement.stops:
            return self.placement.trouble()
        return self.waiting.reason() or self.placement.trouble()

    def lags(self) -> list[PartitionLag]:
        """The last measured lag, and why a partition does not go on, if it does not.

        A reason that begins with `stopped:` does not end by itself; `status` recognises a stop by that.
        """
        whole = f"{STOPPED}{self.stopped_because}" if self.stopped_because is not None else None
        if whole is None and self.control.is_paused:
            whole = f"paused: {self.control.reason}"
        return [lag._replace(trouble=self._told(lag, whole)) for lag in self.measured]

    def _told(self, lag: PartitionLag, whole: str | None) -> str | None:
        """That this process reads nothing is told as it is: it must not pass for a report of a reader."""
        if lag.trouble is not None and lag.trouble.startswith(WAITS_FOR_KAFKA):
            return lag.trouble
        return whole or lag.trouble or self._trouble_in(lag.partition)

    def _trouble_in(self, partition: int) -> str | None:
        """A batch has records of many partitions, so that all wait, except those that have stopped."""
        if not self.placement.has_stopped(partition) and (reason := self.waiting.reason()) is not None:
            return reason
        return self.placement.trouble_in(partition)
