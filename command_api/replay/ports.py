"""The port of a replay, beside the relay's publisher: a log that it reads in ranges."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol
from uuid import UUID

from shared.contract.recorded_event import RecordedEvent


@dataclass(frozen=True, slots=True)
class Selection:
    """Log positions `first` to `last`, both inclusive; only these products and event types, or all if
    empty.
    """

    first: int
    last: int
    product_ids: tuple[UUID, ...] = ()
    event_types: tuple[str, ...] = ()


class Stretch(NamedTuple):
    """The selected events after a position, and the position up to which the log was searched."""

    events: Sequence[RecordedEvent]
    scanned_to: int


class Count(NamedTuple):
    """The number of selected events after a position, up to and including `scanned_to`."""

    events: int
    scanned_to: int


class ReplayLog(Protocol):
    """One read-only session. Every method but `close` raises `LogUnavailable`.

    A read is bounded in events, bytes and positions. It may find nothing and still have advanced:
    continue from `scanned_to` until that is the selection's last position.
    """

    @property
    def log_id(self) -> bytes:
        """The event store's UUID as ASCII text."""

    async def newest_position(self) -> int:
        """The position of the last event; 0 while there is none."""

    async def relayed_position(self) -> int:
        """The position up to which the relay has published for certain; 0 before its first event."""

    async def read_after(self, log_position: int, selection: Selection, events_max: int) -> Stretch:
        """The next selected events in log order. Raises `OperatorNeeded` for a row it cannot read."""

    async def count_after(self, log_position: int, selection: Selection) -> Count:
        """How many events `read_after` would find."""

    async def close(self) -> None:
        """End the session; never raises."""
