"""The ports of the past; the adapters are in `postgres/`.

The log raises `EventLogUnavailable` or `Overloaded` (errors.py). It may be a replica, or several: each answer
is of one server, and says how far that server is.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple, Protocol
from uuid import UUID

from shared.contract.recorded_event import RecordedEvent
from shared.contract.views import ProductDocument


class Head(NamedTuple):
    """How far a stream is. `stream_version` None: there is no such product. `is_archived`: its oldest events
    are no longer in the log. `newest_position` is of the whole log, None if it was not asked for.
    """

    stream_version: int | None
    is_archived: bool
    newest_position: int | None


class VersionAt(NamedTuple):
    """The version at a time (0: it began later), and the newest version on the server that says so."""

    stream_version: int
    newest_version: int


class Snapshot(NamedTuple):
    """A document that was folded before, and the position of the event that made it."""

    stream_version: int
    log_position: int
    document: ProductDocument


class Snapshots(Protocol):
    """Documents of long streams. They may be of a log that was there before a restore: compare them."""

    async def newest(self, product_id: UUID, up_to_version: int) -> Snapshot | None: ...


class StreamPages(Protocol):
    """Events of a product, a page at a time."""

    async def page(self, product_id: UUID, above_version: int, up_to_version: int) -> Sequence[RecordedEvent]:
        """The next events in order, as many as one page holds: at least one, where there is one."""
        ...


class StreamLog(StreamPages, Protocol):
    """The events of one product at a time."""

    async def head(self, product_id: UUID, *, with_position: bool) -> Head: ...

    async def version_at(self, product_id: UUID, time: datetime) -> VersionAt | None:
        """None: there is no such product on this server."""
        ...
