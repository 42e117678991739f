"""A fake of the log that a replay reads; it passes the suite of the real adapter (suites.py)."""

from collections.abc import Sequence

from command_api.relay.ports import LogUnavailable, OperatorNeeded
from command_api.replay.ports import Count, Selection, Stretch
from shared.contract.recorded_event import RecordedEvent
from tests.unit.relay.in_memory import LOG_ID


class InMemoryReplayLog:
    """Fake of `PostgresReplayLog`. Positions in `unreadable` have broken metadata."""

    log_id = LOG_ID

    def __init__(self, events: Sequence[RecordedEvent] = (), *, window_positions_max: int = 1000) -> None:
        self.events = list(events)
        self.window_positions_max = window_positions_max
        self.unreadable: set[int] = set()
        self.is_away = False
        self.relayed = 0
        self.reads: list[int] = []

    async def newest_position(self) -> int:
        self._require_session()
        return self.events[-1].log_position if self.events else 0

    async def relayed_position(self) -> int:
        self._require_session()
        return self.relayed

    async def read_after(self, log_position: int, selection: Selection, events_max: int) -> Stretch:
        self._require_session()
        self.reads.append(log_position)
        found, scan_to = self._selected(log_position, selection)
        events = found[:events_max]
        for index, event in enumerate(events):
            if event.log_position in self.unreadable:
                if index == 0:
                    raise OperatorNeeded(
                        f"the metadata of the event at position {event.log_position} is broken"
                    )
                return Stretch(events[:index], events[index - 1].log_position)
        return Stretch(events, events[-1].log_position if len(events) == events_max else scan_to)

    async def count_after(self, log_position: int, selection: Selection) -> Count:
        self._require_session()
        found, scan_to = self._selected(log_position, selection)
        return Count(len(found), scan_to)

    async def close(self) -> None:
        self.is_away = True

    def _selected(self, log_position: int, selection: Selection) -> tuple[list[RecordedEvent], int]:
        scan_to = min(selection.last, log_position + self.window_positions_max)
        if selection.product_ids:
            scan_to = selection.last
        found = [
            event
            for event in self.events
            if log_position < event.log_position <= scan_to
            and (not selection.product_ids or event.product_id in selection.product_ids)
            and (not selection.event_types or event.event_type in selection.event_types)
        ]
        return found, scan_to

    def _require_session(self) -> None:
        if self.is_away:
            raise LogUnavailable("the session has ended")
