"""What every log that a replay reads must do, real or in memory; each adapter's test module inherits."""

from collections.abc import Sequence
from typing import Protocol

import pytest

from command_api.relay.ports import LogUnavailable, OperatorNeeded
from command_api.replay.ports import ReplayLog, Selection
from shared.contract.recorded_event import RecordedEvent
from tests.unit.relay.sample_events import product, sample_event, sample_events

WINDOW_POSITIONS_MAX = 7
"""What one statement without an index may look at."""


class ReplayLogHarness(Protocol):
    """A log of a test's own."""

    async def append(self, events: Sequence[RecordedEvent]) -> None: ...
    async def spoil_metadata(self, log_position: int) -> None: ...
    async def relay_to(self, log_position: int) -> None: ...
    async def open(self) -> ReplayLog: ...
    async def sever(self) -> None: ...


async def read_all(log: ReplayLog, selection: Selection, events_max: int = 100) -> list[RecordedEvent]:
    """What is selected, read as a replay does; each read must get further."""
    found: list[RecordedEvent] = []
    reached = selection.first - 1
    while reached < selection.last:
        events, scanned_to = await log.read_after(reached, selection, events_max)
        assert len(events) <= events_max
        assert reached < scanned_to <= selection.last
        assert all(reached < event.log_position <= scanned_to for event in events)
        found += events
        reached = scanned_to
    return found


async def count_all(log: ReplayLog, selection: Selection) -> int:
    counted, reached = 0, selection.first - 1
    while reached < selection.last:
        events, scanned_to = await log.count_after(reached, selection)
        assert reached < scanned_to <= selection.last
        counted, reached = counted + events, scanned_to
    return counted


CREATED, PRICED, DELETED = "product-created", "product-price-changed", "product-deleted"
SELECTIONS = {
    "all": Selection(1, 30),
    "one position": Selection(8, 8),
    "the end of it": Selection(25, 30),
    "a type": Selection(1, 30, event_types=(CREATED,)),
    "a rare type": Selection(1, 30, event_types=(DELETED,)),
    "two types": Selection(3, 30, event_types=(CREATED, DELETED)),
    "a type that does not occur": Selection(1, 30, event_types=("product-archived",)),
    "a product": Selection(1, 30, (product(2),)),
    "two products": Selection(4, 29, (product(2), product(0))),
    "a product by type": Selection(1, 30, (product(2),), (PRICED,)),
    "a product that does not exist": Selection(1, 30, (product(99),)),
    "a product and one that does not exist": Selection(1, 30, (product(1), product(99))),
}
EVENTS = [*sample_events(29, products=5), sample_event(30, product(4), 7, event_type=DELETED)]


def selected(selection: Selection) -> list[RecordedEvent]:
    """What the words of the contract say."""
    return [
        event
        for event in EVENTS
        if selection.first <= event.log_position <= selection.last
        and (not selection.product_ids or event.product_id in selection.product_ids)
        and (not selection.event_types or event.event_type in selection.event_types)
    ]


class ReplayLogSuite:
    """Inherit and provide the fixture `log`."""

    @pytest.mark.parametrize("events_max", [1, 3, 100])
    @pytest.mark.parametrize("name", SELECTIONS)
    async def test_what_is_selected_comes_whole_and_in_order_however_small_the_reads(
        self, log: ReplayLogHarness, name: str, events_max: int
    ) -> None:
        await log.append(EVENTS)
        opened = await log.open()
        assert await read_all(opened, SELECTIONS[name], events_max) == selected(SELECTIONS[name])
        await opened.close()

    @pytest.mark.parametrize("name", SELECTIONS)
    async def test_a_count_is_how_many_a_read_would_bring(self, log: ReplayLogHarness, name: str) -> None:
        await log.append(EVENTS)
        opened = await log.open()
        assert await count_all(opened, SELECTIONS[name]) == len(selected(SELECTIONS[name]))
        await opened.close()

    async def test_a_read_looks_at_a_bounded_part_of_the_log_even_if_it_finds_nothing(
        self, log: ReplayLogHarness
    ) -> None:
        await log.append(EVENTS)
        opened = await log.open()
        rare = Selection(1, 30, event_types=(DELETED,))
        assert await opened.read_after(0, rare, 100) == ([], WINDOW_POSITIONS_MAX)
        assert await opened.count_after(0, rare) == (0, WINDOW_POSITIONS_MAX)
        await opened.close()

    async def test_products_are_found_by_their_index_and_not_by_looking_through_the_log(
        self, log: ReplayLogHarness
    ) -> None:
        await log.append(EVENTS)
        opened = await log.open()
        events, scanned_to = await opened.read_after(0, Selection(1, 30, (product(2),)), 100)
        assert [event.log_position for event in events] == [3, 8, 13, 18, 23, 28]
        assert scanned_to == 30
        await opened.close()

    async def test_the_newest_position_is_that_of_the_last_event(self, log: ReplayLogHarness) -> None:
        opened = await log.open()
        assert await opened.newest_position() == 0
        await log.append(EVENTS)
        assert await opened.newest_position() == 30
        await opened.close()

    async def test_how_far_the_relay_is_is_told_even_before_it_ever_ran(self, log: ReplayLogHarness) -> None:
        opened = await log.open()
        assert await opened.relayed_position() == 0
        await log.relay_to(17)
        assert await opened.relayed_position() == 17
        await opened.close()

    async def test_the_log_names_itself(self, log: ReplayLogHarness) -> None:
        opened = await log.open()
        assert len(opened.log_id) == 36
        await opened.close()

    @pytest.mark.parametrize("product_ids", [(), (product(2),)])
    async def test_what_can_be_read_before_a_broken_row_is_read_and_the_row_itself_is_named(
        self, log: ReplayLogHarness, product_ids: tuple[object, ...]
    ) -> None:
        await log.append(EVENTS)
        await log.spoil_metadata(13)
        opened = await log.open()
        selection = Selection(8, 30, product_ids)  # type: ignore[arg-type]
        events, scanned_to = await opened.read_after(7, selection, 100)
        assert list(events) == [e for e in EVENTS[7:12] if not product_ids or e.product_id in product_ids]
        assert scanned_to == events[-1].log_position
        with pytest.raises(OperatorNeeded, match="position 13"):
            await opened.read_after(scanned_to, selection, 100)
        await opened.close()

    async def test_a_severed_session_answers_nothing_more(self, log: ReplayLogHarness) -> None:
        opened = await log.open()
        await log.sever()
        with pytest.raises(LogUnavailable):
            await opened.newest_position()
        with pytest.raises(LogUnavailable):
            await opened.relayed_position()
        with pytest.raises(LogUnavailable):
            await opened.read_after(0, Selection(1, 1), 1)
        with pytest.raises(LogUnavailable):
            await opened.count_after(0, Selection(1, 1))
        await opened.close()
