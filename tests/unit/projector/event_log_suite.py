"""What every `EventLog` must do; a class per adapter inherits and gives `log`."""

from collections.abc import Sequence
from typing import Protocol
from uuid import UUID

from projector.applying.ports import EventLog
from shared.contract.recorded_event import RecordedEvent
from tests.unit.projector.histories import created, history, new_product_id, priced


class WrittenLog(Protocol):
    """A log, empty at first, that a test may write to."""

    log_id: UUID

    @property
    def reading(self) -> EventLog: ...

    async def keep(self, events: Sequence[RecordedEvent]) -> None: ...


class EventLogSuite:
    """Read by a projector."""

    async def test_it_says_which_log_it_is(self, log: WrittenLog) -> None:
        assert await log.reading.log_id() == log.log_id

    async def test_its_newest_position_is_that_of_the_newest_event(self, log: WrittenLog) -> None:
        assert await log.reading.newest_position() == 0
        await log.keep(history(new_product_id(), created(), priced("2.00"), first_position=41))
        assert await log.reading.newest_position() == 42

    async def test_it_gives_whole_events_after_a_version_in_order_of_the_products_asked_for(
        self, log: WrittenLog
    ) -> None:
        one = history(new_product_id(), created(), priced("2.00"), priced("3.00"), first_position=1)
        other = history(new_product_id(), created(), priced("4.00"), first_position=11)
        await log.keep([*other, *one, *history(new_product_id(), created(), first_position=21)])
        wanted = {one[0].product_id: 1, other[0].product_id: 0, new_product_id(): 0}
        assert await log.reading.events_after(wanted) == {
            one[0].product_id: one[1:], other[0].product_id: other,
        }  # fmt: skip
        assert await log.reading.events_after({one[0].product_id: 3}) == {}

    async def test_it_gives_the_events_of_as_many_products_as_a_batch_may_have(self, log: WrittenLog) -> None:
        events = [history(new_product_id(), created(), first_position=at)[0] for at in range(1, 451)]
        await log.keep(events)
        found = await log.reading.events_after({one.product_id: 0 for one in events})
        assert found == {one.product_id: [one] for one in events}
