"""Notices another process under our name in a consumer group: both take the partitions from each other.

Kafka gives the place of a named member to whoever joins last, without a rebalance and so without a new
generation. aiokafka sends no name with its heartbeats: the broker answers only that it does not know the
member, and the member joins again. So two joins of one process in one generation mean that.
"""

import time
from collections.abc import Callable
from typing import Protocol

from shared.ops.logs import get_logger

_KNOWN_SECONDS = 60.0
_log = get_logger(__name__)


class Joined(Protocol):
    """aiokafka's coordinator; `member_id` is the broker's name for this join."""

    generation: int
    member_id: str


class NamedMember:
    """One consumer's place in its group; `name` may be empty. `clock` gives monotonic seconds."""

    def __init__(self, projection: str, name: str, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._projection = projection
        self._name = name
        self._clock = clock
        self._joined: tuple[int, str] | None = None
        self._robbed_at: float | None = None

    def joined(self, coordinator: Joined) -> None:
        """The group has let us in."""
        generation, member_id = coordinator.generation, coordinator.member_id
        before, self._joined = self._joined, (generation, member_id)
        if not self._name or before is None or before[0] != generation or before[1] == member_id:
            return
        if self.trouble() is None:
            _log.critical(
                "another process has our name in its consumer groups",
                projection=self._projection, member_name=self._name,
                remedy="give each projector a GROUP_MEMBER_NAME of its own, or none",
            )  # fmt: skip
        self._robbed_at = self._clock()

    def trouble(self) -> str | None:
        """For readiness: what an operator has to end, as long as it goes on."""
        if self._robbed_at is None or self._clock() - self._robbed_at > _KNOWN_SECONDS:
            return None
        who = f"another process has our GROUP_MEMBER_NAME, {self._name}"
        return f"{who}: both take the partitions from each other"
