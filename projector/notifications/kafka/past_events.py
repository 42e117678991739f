"""Which events of the topic are past: they send no mail, and change nothing.

When topics are made again from the log, all events come again, also those from before this projection ran:
nobody was told about them, so no claim keeps them from being sent.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence

from projector.applying.batch import Item, NewestPositions, reached
from projector.applying.records import Delivered
from projector.kafka.records import Record
from shared.kafka.cloud_event import is_replay

Reported = Callable[[], Awaitable[Mapping[int, int]]]
"""Reads by partition the log position up to which all is handled."""


async def _nothing() -> Mapping[int, int]:
    return {}


class PastEvents:
    """Of the topic of all events; in a retry topic (`reported` None) only replays are past."""

    def __init__(self, reported: Reported | None) -> None:
        self._reported = reported or _nothing
        self._newest = None if reported is None else NewestPositions()

    async def begin(self) -> None:
        """Partitions are read from now on. Raises `Unavailable`."""
        if self._newest is not None:
            for partition, position in (await self._reported()).items():
                self._newest.begin([partition], position)

    def have(self, record: Record, item: Item) -> bool:
        """Whether this one is past."""
        if is_replay(record.headers):
            return True
        return self._newest is not None and isinstance(item, Delivered) and self._newest.have(item)

    def handled(self, items: Sequence[Item]) -> None:
        """These are past from now on."""
        if self._newest is not None:
            self._newest.reached(reached(items))
