"""What a shadow and the record of its rebuild must do; a class per adapter inherits and gives `stores`."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol
from uuid import UUID

import pytest

from projector.applying.ports import Change, Held
from projector.errors import CannotGoOn
from projector.rebuild.bulk_fold import Failed
from projector.rebuild.catch_up import CatchUp
from projector.rebuild.ports import CATCHING_UP, COMPARED, LOADING, SWITCHED, Records, Shadow
from projector.views.product_document import FOLD as DOCUMENTS
from shared.contract.recorded_event import RecordedEvent
from tests.in_memory.event_log import InMemoryEventLog
from tests.unit.projector.histories import created, history, new_product_id, priced
from tests.unit.projector.records import LOG_ID, folded
from tests.unit.projector.view_suites import change_to

FAILED = Failed(2, "undecodable", "why")


class RebuildStores(Protocol):
    """One view and its rebuild; `log` is where the catch-up reads."""

    log: InMemoryEventLog

    def shadow(self) -> Shadow[Any]: ...

    def records(self) -> Records: ...

    async def save_live(self, changes: Sequence[Change[Any]]) -> None:
        """As batches do."""

    async def live(self, product_ids: Sequence[UUID]) -> Mapping[UUID, Held[Any]]:
        """What readers see."""


class Oops(Exception):
    """Ends a transaction in the middle."""


def product(name: str = "Shirt", first_position: int = 1) -> list[RecordedEvent]:
    return history(new_product_id(), created(name), priced("2.00"), first_position=first_position)


async def begun(stores: RebuildStores, slices: int = 2, target: int = 10) -> Shadow[Any]:
    """A rebuild in its first pass."""
    await stores.shadow().make()
    await stores.records().start(LOG_ID, target, slices, "1.0 abc", 0)
    return stores.shadow()


async def phase(stores: RebuildStores) -> str:
    record = await stores.records().read()
    return "" if record is None else record.phase


async def shown(shadow: Shadow[Any], *product_ids: UUID) -> dict[UUID, Held[Any]]:
    async with shadow.begin(None) as writer:
        return dict(await writer.held(product_ids))


def catch_up_of(stores: RebuildStores, reached: int = 10, failed: Sequence[UUID] = ()) -> CatchUp[Any]:
    return CatchUp(stores.log, DOCUMENTS, stores.shadow(), reached, set(failed))


class RecordsSuite:
    """How far a rebuild is, for whoever goes on with it."""

    async def test_there_is_none_until_one_begins_and_none_when_it_is_forgotten(
        self, stores: RebuildStores
    ) -> None:
        assert await stores.records().read() is None
        await begun(stores, slices=3, target=44)
        record = await stores.records().read()
        assert record is not None
        assert (record.phase, record.log_id, record.target_position) == (LOADING, LOG_ID, 44)
        assert (record.slices, list(record.slices_done), record.reached_position) == (3, [], 0)
        assert (record.made_by, record.proof, record.events_done) == ("1.0 abc", "", 0)
        await stores.records().forget()
        assert await stores.records().read() is None

    async def test_it_moves_from_phase_to_phase_and_keeps_the_proof(self, stores: RebuildStores) -> None:
        await begun(stores)
        await stores.records().move_to(CATCHING_UP)
        await stores.records().move_to(COMPARED, proof="equal")
        await stores.records().move_to(CATCHING_UP)
        record = await stores.records().read()
        assert record is not None
        assert (record.phase, record.proof) == (CATCHING_UP, "equal")

    async def test_a_new_one_knows_nothing_of_the_one_before(self, stores: RebuildStores) -> None:
        shadow, events = await begun(stores), product()
        await shadow.load(1, 2, [change_to(events)], {new_product_id(): FAILED})
        await stores.records().move_to(COMPARED, proof="equal")
        await begun(stores)
        record = await stores.records().read()
        assert record is not None
        assert (record.phase, list(record.slices_done), record.events_done) == (LOADING, [], 0)
        assert (record.proof, await stores.records().failures()) == ("", {})
        assert await shown(stores.shadow(), events[0].product_id) == {}


class ShadowSuite:
    """The view that is being made, beside the one that serves."""

    async def test_a_slice_is_loaded_once_and_readers_see_nothing_of_it(self, stores: RebuildStores) -> None:
        shadow, events, bad = await begun(stores), product(), new_product_id()
        await shadow.load(1, 2, [change_to(events)], {bad: FAILED})
        other = product("Other")
        await shadow.load(1, 2, [change_to(other)], {new_product_id(): FAILED})
        record = await stores.records().read()
        assert record is not None
        assert (list(record.slices_done), record.events_done) == ([1], 2)
        ids = (events[0].product_id, other[0].product_id)
        assert await shown(shadow, *ids) == {ids[0]: folded(events)}
        assert await stores.records().failures() == {bad: FAILED}
        assert await stores.live(ids) == {}

    async def test_a_slice_that_fails_leaves_nothing(self, stores: RebuildStores) -> None:
        shadow, events = await begun(stores), product()

        def changes() -> Any:
            yield change_to(events)
            raise Oops

        with pytest.raises(Oops):
            await shadow.load(0, 2, changes(), {})
        record = await stores.records().read()
        assert record is not None
        assert (list(record.slices_done), record.events_done) == ([], 0)
        assert await shown(shadow, events[0].product_id) == {}
        await shadow.load(0, 2, [change_to(events)], {})
        assert await shown(shadow, events[0].product_id) == {events[0].product_id: folded(events)}

    async def test_a_stretch_and_its_position_are_applied_together_or_not_at_all(
        self, stores: RebuildStores
    ) -> None:
        shadow, events, bad = await begun(stores), product(), new_product_id()
        await shadow.finish_loading()
        await shadow.finish_loading()

        async def fail() -> None:
            async with shadow.begin(20) as writer:
                await writer.save([change_to(events)])
                await writer.fail({bad: FAILED})
                raise Oops

        with pytest.raises(Oops):
            await fail()
        record = await stores.records().read()
        assert record is not None
        assert (record.reached_position, await stores.records().failures()) == (0, {})
        assert await shown(shadow, events[0].product_id) == {}
        async with shadow.begin(20) as writer:
            await writer.save([change_to(events)])
            await writer.fail({bad: FAILED})
        async with shadow.begin(None) as writer:
            await writer.save([change_to(events[:1])])
        record = await stores.records().read()
        assert record is not None
        assert (record.reached_position, await stores.records().failures()) == (20, {bad: FAILED})
        assert await shown(shadow, events[0].product_id) == {events[0].product_id: folded(events)}

    async def test_the_comparison_tells_whether_both_are_equal_but_for_what_is_left_out(
        self, stores: RebuildStores
    ) -> None:
        shadow, events, other = await begun(stores), product(), product("Other")
        await stores.save_live([change_to(events), change_to(other)])
        await shadow.load(0, 2, [change_to(events)], {})
        await shadow.finish_loading()
        comparison = await shadow.compare(catch_up_of(stores))
        assert any(str(other[0].product_id) in line for line in comparison.differences)
        left_out = await shadow.compare(catch_up_of(stores, failed=[other[0].product_id]))
        assert (list(left_out.differences), left_out.left_out) == ([], 1)
        async with shadow.begin(None) as writer:
            await writer.save([change_to(other)])
        comparison = await shadow.compare(catch_up_of(stores))
        assert (list(comparison.differences), comparison.left_out, comparison.rows > 0) == ([], 0, True)

    async def test_the_switch_brings_it_to_the_end_of_the_log_and_makes_it_live(
        self, stores: RebuildStores
    ) -> None:
        shadow, events = await begun(stores), product()
        other = product("Other", first_position=11)
        await stores.log.keep(other)
        await stores.save_live([change_to(events[:1])])
        await shadow.load(0, 2, [change_to(events)], {})
        await shadow.finish_loading()
        await shadow.switch(catch_up_of(stores))
        ids = (events[0].product_id, other[0].product_id)
        assert await stores.live(ids) == {ids[0]: folded(events), ids[1]: folded(other)}
        assert await phase(stores) == SWITCHED

    async def test_after_a_switch_there_is_one_way_back(self, stores: RebuildStores) -> None:
        shadow, events = await begun(stores), product()
        await stores.save_live([change_to(events[:1])])
        await shadow.load(0, 2, [change_to(events)], {})
        await shadow.finish_loading()
        await shadow.switch(catch_up_of(stores))
        await shadow.switch_back(catch_up_of(stores))
        product_id = events[0].product_id
        assert await stores.live([product_id]) == {product_id: folded(events[:1])}
        assert await phase(stores) == CATCHING_UP
        with pytest.raises(CannotGoOn):
            await shadow.switch_back(catch_up_of(stores))

    async def test_without_the_previous_view_there_is_no_way_back(self, stores: RebuildStores) -> None:
        shadow, events = await begun(stores), product()
        await shadow.load(0, 2, [change_to(events)], {})
        await shadow.finish_loading()
        await shadow.switch(catch_up_of(stores))
        await shadow.drop_previous()
        with pytest.raises(CannotGoOn):
            await shadow.switch_back(catch_up_of(stores))
        assert await stores.live([events[0].product_id]) == {events[0].product_id: folded(events)}

    async def test_what_is_dropped_is_gone_and_the_live_view_stays(self, stores: RebuildStores) -> None:
        shadow, events = await begun(stores), product()
        await stores.save_live([change_to(events[:1])])
        await shadow.load(0, 2, [change_to(events)], {})
        await shadow.drop()
        await shadow.drop()
        product_id = events[0].product_id
        assert await stores.live([product_id]) == {product_id: folded(events[:1])}
        await begun(stores)
        assert await shown(shadow, product_id) == {}
