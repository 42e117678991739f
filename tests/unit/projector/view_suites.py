"""What every view, and what is parked beside it, must do; a class per adapter inherits and gives `stores`."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, Protocol
from uuid import UUID

import pytest

from projector.applying.dead_letters import (
    Action,
    ParkedPlaces,
    ParkedProducts,
    ProductDeadLetter,
    SingleDeadLetter,
    StoredDeadLetter,
)
from projector.applying.ports import Change, Checkpoint, Held, View
from projector.errors import Fenced, ParkingIsFull
from projector.parking.postgres.parking import DEFAULT_LIMITS, ParkingLimits
from shared.contract.recorded_event import RecordedEvent
from tests.eventually import eventually
from tests.in_memory.rows import Done, KeptProduct, KeptRecord
from tests.unit.projector.histories import created, history, new_product_id, priced
from tests.unit.projector.records import LOG_ID, folded, record_of

ACTION = Action("ann", "retry", "mended")


class Stores(Protocol):
    """One store of one projection, whose tests may look at what is committed."""

    def view(self, limits: ParkingLimits = DEFAULT_LIMITS) -> View[Any]:
        """As one more process has it."""

    def parked_products(self) -> ParkedProducts: ...

    async def records(self) -> Sequence[KeptRecord]:
        """What is parked, in the order of parking."""

    async def products(self) -> Mapping[UUID, KeptProduct]: ...

    async def done(self) -> Sequence[Done]:
        """What operators did."""

    async def order(self, partition: int, offset: int, reason: str) -> None:
        """An operator tells to park a record."""

    async def somebody_waits(self) -> None:
        """Asserts that one transaction waits for another."""


class Oops(Exception):
    """Ends a batch in the middle."""


def change_to(events: Sequence[RecordedEvent]) -> Change[Any]:
    """From nothing to what these events make of a product."""
    version, state = folded(events)
    last = state if state is not None else folded(events[:1])[1]
    return Change(events[0].product_id, version, events[-1].log_position, None, state, last)


def dead_letter(event: RecordedEvent, offset: int, cause: str = "bad", **changed: Any) -> ProductDeadLetter:
    return ProductDeadLetter(record_of(event, offset, **changed), event, "undecodable", cause)


def single_dead_letter(offset: int, cause: str = "no event", **changed: Any) -> SingleDeadLetter:
    event = history(new_product_id(), created())[0]
    return SingleDeadLetter(record_of(event, offset, **changed), None, "unreadable-record", cause)


async def held(view: View[Any], product_id: UUID) -> Held[Any] | None:
    async with view.begin({}) as batch:
        return (await batch.held([product_id])).get(product_id)


class ViewSuite:
    """Tables and caches alike."""

    async def test_what_was_saved_is_held_and_nothing_else(self, stores: Stores) -> None:
        one, other = (history(new_product_id(), created(name)) for name in ("One", "Other"))
        async with stores.view().begin({}) as batch:
            await batch.save([change_to(one), change_to(other)])
            found = await batch.held([one[0].product_id, new_product_id()])
        assert found == {one[0].product_id: folded(one)}
        assert await held(stores.view(), other[0].product_id) == folded(other)

    async def test_a_row_that_is_as_new_or_newer_stays(self, stores: Stores) -> None:
        events = history(new_product_id(), created(), priced("2.00"), priced("3.00"))
        other = history(events[0].product_id, created("Other"), priced("4.00"))
        view = stores.view()
        for change in (change_to(events[:2]), change_to(other), change_to(events[:1])):
            async with view.begin({}) as batch:
                await batch.save([change])
        assert await held(view, events[0].product_id) == folded(events[:2])
        async with view.begin({}) as batch:
            await batch.save([change_to(events)])
        assert await held(view, events[0].product_id) == folded(events)

    async def test_a_deleted_product_is_held_as_deleted_and_does_not_come_back(self, stores: Stores) -> None:
        events = history(new_product_id(), created(), priced("2.00"))
        product_id, (_, last) = events[0].product_id, folded(events[:1])
        async with stores.view().begin({}) as batch:
            await batch.save([change_to(events[:1])])
            await batch.save([Change(product_id, 2, events[1].log_position, last, None, last)])
            await batch.save([change_to(events)])
        assert await held(stores.view(), product_id) == Held(2, None)


class FenceSuite:
    """Views with checkpoints: only the present owner moves them."""

    async def test_the_checkpoint_moves_with_the_batch(self, stores: Stores) -> None:
        view, events = stores.view(), history(new_product_id(), created())
        assert await view.checkpoints([0, 1]) == {}
        async with view.begin({0: Checkpoint(5, 50, LOG_ID)}) as batch:
            await batch.save([change_to(events)])
        assert await stores.view().checkpoints([0, 1]) == {0: Checkpoint(5, 50, LOG_ID)}
        assert await held(stores.view(), events[0].product_id) == folded(events)

    async def test_a_checkpoint_never_moves_back(self, stores: Stores) -> None:
        view = stores.view()
        for point in (Checkpoint(5, 50, LOG_ID), Checkpoint(6, 20, LOG_ID), Checkpoint(3, 30, LOG_ID)):
            async with view.begin({0: point}):
                pass
        assert await stores.view().checkpoints([0]) == {0: Checkpoint(6, 50, LOG_ID)}

    async def test_an_instance_whose_checkpoint_another_one_moved_is_fenced_until_it_loads_again(
        self, stores: Stores
    ) -> None:
        first, second = stores.view(), stores.view()
        events = history(new_product_id(), created())
        async with first.begin({0: Checkpoint(1, 1, LOG_ID)}):
            pass
        await second.checkpoints([0])
        async with second.begin({0: Checkpoint(2, 2, LOG_ID)}):
            pass

        async def go_on() -> None:
            async with first.begin({0: Checkpoint(3, 3, LOG_ID), 1: Checkpoint(1, 3, LOG_ID)}) as batch:
                await batch.save([change_to(events)])

        with pytest.raises(Fenced):
            await go_on()
        assert await held(second, events[0].product_id) is None
        assert await first.checkpoints([0, 1]) == {0: Checkpoint(2, 2, LOG_ID)}
        await go_on()
        assert await held(second, events[0].product_id) == folded(events)

    async def test_two_instances_on_a_fresh_partition_fence_each_other(self, stores: Stores) -> None:
        async with stores.view().begin({0: Checkpoint(1, 1, LOG_ID)}):
            pass
        with pytest.raises(Fenced):
            async with stores.view().begin({0: Checkpoint(1, 1, LOG_ID)}):
                pass

    async def test_a_checkpoint_of_another_log_is_not_moved(self, stores: Stores) -> None:
        view = stores.view()
        async with view.begin({0: Checkpoint(1, 1, LOG_ID)}):
            pass
        with pytest.raises(Fenced):
            async with view.begin({0: Checkpoint(5, 5, UUID(int=8))}):
                pass


class CheckpointSuite(FenceSuite):
    """Views with transactions: a batch is done whole or not at all."""

    async def test_nobody_sees_a_batch_before_its_end(self, stores: Stores) -> None:
        view, events = stores.view(), history(new_product_id(), created(), priced("2.00"))
        async with view.begin({0: Checkpoint(5, 50, LOG_ID)}) as batch:
            await batch.save([change_to(events[:1])])
            await batch.park([dead_letter(events[1], 4)])
            assert await held(stores.view(), events[0].product_id) is None
            assert await stores.view().checkpoints([0]) == {}
            assert await stores.records() == []
        assert len(await stores.records()) == 1

    async def test_a_batch_that_fails_leaves_neither_rows_nor_checkpoint_nor_dead_letters(
        self, stores: Stores
    ) -> None:
        view, events = stores.view(), history(new_product_id(), created(), priced("2.00"))

        async def fail() -> None:
            async with view.begin({0: Checkpoint(5, 50, LOG_ID)}) as batch:
                await batch.save([change_to(events[:1])])
                await batch.park([dead_letter(events[1], 4)])
                raise Oops

        with pytest.raises(Oops):
            await fail()
        assert await held(stores.view(), events[0].product_id) is None
        assert (await stores.view().checkpoints([0]), await stores.records(), await stores.products()) == (
            {},
            [],
            {},
        )
        # Nor does the view believe that it moved.
        async with view.begin({0: Checkpoint(5, 50, LOG_ID)}):
            pass

    async def test_a_batch_waits_for_the_one_that_moves_the_same_checkpoint_and_is_fenced(
        self, stores: Stores
    ) -> None:
        async def replaced() -> None:
            async with stores.view().begin({0: Checkpoint(1, 1, LOG_ID)}):
                pass

        async with stores.view().begin({0: Checkpoint(1, 1, LOG_ID)}):
            waiting = asyncio.create_task(replaced())
            await eventually(stores.somebody_waits)
        with pytest.raises(Fenced):
            await waiting


class ShortcutSuite:
    """Tables whose ordinary batches need no transaction: the write compares all that was read."""

    async def test_a_partition_without_a_checkpoint_needs_a_transaction(self, stores: Stores) -> None:
        view = stores.view()
        assert view.shortcut is not None
        assert await view.shortcut.held({0: Checkpoint(1, 1, LOG_ID)}, [new_product_id()]) is None
        await _placed(view)
        assert await view.shortcut.held({0: Checkpoint(2, 2, LOG_ID)}, [new_product_id()]) == {}
        assert await view.shortcut.held({1: Checkpoint(2, 2, LOG_ID)}, [new_product_id()]) is None

    async def test_rows_and_checkpoint_are_saved_together(self, stores: Stores) -> None:
        view, events, other = stores.view(), history(new_product_id(), created()), new_product_id()
        await _placed(view)
        assert await _saved(view, 2, events)
        assert await stores.view().checkpoints([0]) == {0: Checkpoint(2, 20, LOG_ID)}
        assert await held(stores.view(), events[0].product_id) == folded(events)
        # In turns with transactions.
        async with view.begin({0: Checkpoint(3, 30, LOG_ID)}) as batch:
            await batch.save([change_to(history(other, created("Other")))])
        assert await _saved(view, 4, history(other, created("Other"), priced("2.00")))
        assert await held(stores.view(), other) == folded(history(other, created("Other"), priced("2.00")))

    async def test_a_checkpoint_is_moved_back_by_no_shortcut(self, stores: Stores) -> None:
        view, one, other = stores.view(), *(history(new_product_id(), created(name)) for name in "ab")
        await _placed(view, 5)
        assert await _saved(view, 3, one)
        assert await stores.view().checkpoints([0]) == {0: Checkpoint(5, 50, LOG_ID)}
        assert await _saved(view, 6, other)

    async def test_whoever_lost_the_partition_after_reading_writes_nothing(self, stores: Stores) -> None:
        view, events = stores.view(), history(new_product_id(), created())
        await _placed(view)
        found = await _found(view, events[0].product_id)
        successor = stores.view()
        await successor.checkpoints([0])
        async with successor.begin({0: Checkpoint(2, 20, LOG_ID)}):
            pass
        assert view.shortcut is not None
        assert not await view.shortcut.save({0: Checkpoint(2, 20, LOG_ID)}, found, [change_to(events)])
        assert await held(stores.view(), events[0].product_id) is None
        assert await stores.view().checkpoints([0]) == {0: Checkpoint(2, 20, LOG_ID)}

    async def test_of_two_checkpoints_both_move_or_none(self, stores: Stores) -> None:
        view, events = stores.view(), history(new_product_id(), created())
        for partition in (0, 1):
            await _placed(view, partition=partition)
        successor = stores.view()
        await successor.checkpoints([1])
        async with successor.begin({1: Checkpoint(2, 20, LOG_ID)}):
            pass
        points = {0: Checkpoint(2, 20, LOG_ID), 1: Checkpoint(2, 20, LOG_ID)}
        assert view.shortcut is not None
        assert not await view.shortcut.save(points, {}, [change_to(events)])
        assert await held(stores.view(), events[0].product_id) is None
        assert (await stores.view().checkpoints([0]))[0].next_offset == 1

    async def test_a_product_that_another_writer_changed_after_it_was_read_is_not_written(
        self, stores: Stores
    ) -> None:
        events = history(new_product_id(), created(), priced("2.00"), priced("3.00"))
        other = history(new_product_id(), created("Other"))
        view = stores.view()
        await _placed(view)
        for version in (1, 2):
            found = await _found(view, events[0].product_id, other[0].product_id)
            # As a retry does: without a checkpoint.
            async with stores.view().begin({}) as batch:
                await batch.save([change_to(events[:version])])
            assert view.shortcut is not None
            changes = [change_to(other), change_to(events)]
            assert not await view.shortcut.save({0: Checkpoint(2, 20, LOG_ID)}, found, changes)
            assert await held(stores.view(), events[0].product_id) == folded(events[:version])
            assert await held(stores.view(), other[0].product_id) is None
            assert (await stores.view().checkpoints([0]))[0].next_offset == 1
        assert await _saved(view, 2, events)

    async def test_a_checkpoint_of_another_log_is_not_moved_by_a_shortcut(self, stores: Stores) -> None:
        view, events = stores.view(), history(new_product_id(), created())
        await _placed(view)
        assert view.shortcut is not None
        other_log = {0: Checkpoint(2, 20, UUID(int=8))}
        assert not await view.shortcut.save(other_log, {}, [change_to(events)])
        assert await held(stores.view(), events[0].product_id) is None

    async def test_a_shortcut_writes_nothing_while_another_transaction_has_its_checkpoint(
        self, stores: Stores
    ) -> None:
        view, successor, events = stores.view(), stores.view(), history(new_product_id(), created())
        await _placed(view)
        await successor.checkpoints([0])
        assert view.shortcut is not None
        async with successor.begin({0: Checkpoint(2, 20, LOG_ID)}) as batch:
            # It does not wait: that is left to the transaction, which waits without a lock on the tables.
            assert not await view.shortcut.save({0: Checkpoint(2, 20, LOG_ID)}, {}, [change_to(events)])
            await batch.save([change_to(events)])
        assert await held(stores.view(), events[0].product_id) == folded(events)


async def _placed(
    view: View[Any], next_offset: int = 1, *, partition: int = 0, of: Sequence[Change[Any]] = ()
) -> None:
    """The partition has a checkpoint, and the view knows it."""
    async with view.begin({partition: Checkpoint(next_offset, next_offset * 10, LOG_ID)}) as batch:
        await batch.save(of)


async def _found(view: View[Any], *product_ids: UUID) -> Mapping[UUID, Held[Any]]:
    assert view.shortcut is not None
    found = await view.shortcut.held({0: Checkpoint(2, 20, LOG_ID)}, product_ids)
    assert found is not None
    return found


async def _saved(view: View[Any], next_offset: int, events: Sequence[RecordedEvent]) -> bool:
    """Reads, and writes all of a product."""
    assert view.shortcut is not None
    found = await _found(view, events[0].product_id)
    reached = {0: Checkpoint(next_offset, next_offset * 10, LOG_ID)}
    return await view.shortcut.save(reached, found, [change_to(events)])


class ParkingSuite:
    """Whatever the view is."""

    async def test_a_parked_record_keeps_every_byte_and_every_header(self, stores: Stores) -> None:
        event = history(new_product_id(), created())[0]
        headers = (("ce_type", None), ("x", b"\xff\0'"), ("x", b""), ("ce_id", b"twice"), ("", b"nameless"))
        kept = dead_letter(
            event, 7, "why", value=b"\0\xff{ not json", headers=headers, timestamp=1_234, key=b"\xfe"
        )
        async with stores.view().begin({}) as batch:
            await batch.park([kept])
        (found,) = await stores.records()
        event_id = event.metadata.event_id
        assert found.record == StoredDeadLetter(
            found.record.dead_letter_id, event.product_id, 1, event_id, "undecodable", "t", 0, 7, 1_234,
            b"\xfe", b"\0\xff{ not json", headers,
        )  # fmt: skip
        assert found.cause == "why"

    async def test_a_dead_letter_that_is_there_already_stays_as_it_is(self, stores: Stores) -> None:
        events = history(new_product_id(), created(), priced("2.00"))
        for cause in ("first", "second"):
            async with stores.view().begin({}) as batch:
                await batch.park([dead_letter(events[0], 1, cause), single_dead_letter(2, cause)])
        assert [one.cause for one in await stores.records()] == ["first", "first"]
        assert (await stores.products())[events[0].product_id].events == 1
        async with stores.view().begin({}) as batch:
            await batch.park([dead_letter(events[0], 1), dead_letter(events[1], 3, "third")])
        product = (await stores.products())[events[0].product_id]
        assert product == KeptProduct("t", 0, "undecodable", "first", 2, 1)

    async def test_a_products_events_come_in_stream_order_whatever_the_order_of_parking(
        self, stores: Stores
    ) -> None:
        events = history(new_product_id(), created(), priced("2.00"), priced("3.00"))
        other = history(new_product_id(), created())
        async with stores.view().begin({}) as batch:
            await batch.park([dead_letter(events[2], 0), dead_letter(other[0], 1), dead_letter(events[1], 2)])
            parked = await batch.parked(events[0].product_id)
        assert [(one.stream_version, one.offset) for one in parked] == [(2, 2), (3, 0)]

    async def test_only_what_is_parked_is_still_parked(self, stores: Stores) -> None:
        events = history(new_product_id(), created())
        async with stores.view().begin({}) as batch:
            await batch.park([dead_letter(events[0], 0), single_dead_letter(1)])
            assert await batch.still_parked([events[0].product_id, new_product_id()]) == {
                events[0].product_id
            }

    async def test_who_asks_for_a_product_waits_until_the_one_who_has_it_is_done(
        self, stores: Stores
    ) -> None:
        event = history(new_product_id(), created())[0]
        async with stores.view().begin({}) as batch:
            await batch.park([dead_letter(event, 0)])

        async def ask() -> set[UUID]:
            async with stores.view().begin({}) as other:
                return await other.still_parked([event.product_id])

        async with stores.view().begin({}) as batch:
            await batch.still_parked([event.product_id])
            asking = asyncio.create_task(ask())
            await eventually(stores.somebody_waits)
            await batch.release(await batch.parked(event.product_id), ACTION)
        assert await asking == set()

    async def test_what_is_released_is_gone_and_its_product_with_the_last_of_it(self, stores: Stores) -> None:
        events = history(new_product_id(), created(), priced("2.00"), priced("3.00"))
        product_id = events[0].product_id
        async with stores.view().begin({}) as batch:
            await batch.park([dead_letter(one, offset) for offset, one in enumerate(events)])
            parked = await batch.parked(product_id)
            assert await batch.release(parked[:2], ACTION) == 1
        assert [one.record.offset for one in await stores.records()] == [2]
        assert (await stores.products())[product_id].events == 1
        async with stores.view().begin({}) as batch:
            assert await batch.release(parked[2:], ACTION) == 0
            assert await batch.still_parked([product_id]) == set()
        assert (await stores.records(), await stores.products()) == ([], {})
        assert await stores.done() == [
            Done(ACTION, product_id, "t[0]@0, t[0]@1"), Done(ACTION, product_id, "t[0]@2"),
        ]  # fmt: skip

    async def test_a_record_without_a_product_is_found_and_released_by_its_number(
        self, stores: Stores
    ) -> None:
        async with stores.view().begin({}) as batch:
            await batch.park([single_dead_letter(0), single_dead_letter(1)])
        first, second = await stores.records()
        number = first.record.dead_letter_id
        async with stores.view().begin({}) as batch:
            found = await batch.parked_one(number)
            assert found == first.record
            assert await batch.release([found], ACTION) == 0
            assert await batch.parked_one(number) is None
        assert (await stores.records(), await stores.products()) == ([second], {})
        assert await stores.done() == [Done(ACTION, None, "t[0]@0")]

    async def test_a_record_that_is_parked_alone_keeps_what_it_says_and_parks_no_product(
        self, stores: Stores
    ) -> None:
        event = history(new_product_id(), created())[0]
        async with stores.view().begin({}) as batch:
            await batch.park([SingleDeadLetter(record_of(event, 0), event, "mail-not-sent", "later")])
            assert await batch.still_parked([event.product_id]) == set()
        (found,) = await stores.records()
        assert (found.record.product_id, found.record.stream_version) == (None, 1)
        assert found.record.event_id == event.metadata.event_id
        assert await stores.products() == {}

    async def test_another_failure_is_noted_with_its_cause(self, stores: Stores) -> None:
        events = history(new_product_id(), created(), priced("2.00"))
        async with stores.view().begin({}) as batch:
            await batch.park(
                [*(dead_letter(one, offset) for offset, one in enumerate(events)), single_dead_letter(2)]
            )
        *of_product, alone = await stores.records()
        async with stores.view().begin({}) as batch:
            await batch.failed_again(events[0].product_id, "unknown", "worse")
            await batch.failed_alone(alone.record.dead_letter_id, "mail-refused", "never")
        assert await stores.products() == {
            events[0].product_id: KeptProduct("t", 0, "unknown", "worse", 2, attempts=2)
        }
        *same, after = await stores.records()
        assert same == of_product
        assert (after.record.error_class, after.cause) == ("mail-refused", "never")

    @pytest.mark.parametrize(
        ("kept", "one_more", "bound"),
        [
            ("product", "product", "products"),
            ("follower", "follower", "events"),
            ("alone", "alone", "single"),
        ],
    )
    async def test_at_a_bound_nothing_more_is_parked(
        self, stores: Stores, kept: str, one_more: str, bound: str
    ) -> None:
        view = stores.view(ParkingLimits(products_max=2, events_per_product_max=2))
        events = history(new_product_id(), created(), priced("2.00"), priced("3.00"))
        dead_letters = {
            "product": [dead_letter(history(new_product_id(), created())[0], offset) for offset in range(3)],
            "follower": [dead_letter(one, offset) for offset, one in enumerate(events)],
            "alone": [single_dead_letter(offset) for offset in range(3)],
        }[kept]
        async with view.begin({}) as batch:
            await batch.park(dead_letters[:2])

        async def park() -> None:
            async with view.begin({}) as batch:
                await batch.park(dead_letters[2:])

        with pytest.raises(ParkingIsFull, match=bound):
            await park()
        assert [one.record.offset for one in await stores.records()] == [0, 1]
        async with view.begin({}) as batch:
            await batch.park(dead_letters[:2])  # what is there already costs no room

    async def test_the_places_of_a_partition_are_its_products_and_what_is_ordered_there(
        self, stores: Stores
    ) -> None:
        here, elsewhere = (history(new_product_id(), created())[0] for _ in range(2))
        await stores.order(0, 8, "a stray")
        await stores.order(1, 9, "elsewhere")
        async with stores.view().begin({}) as batch:
            await batch.park(
                [dead_letter(here, 0), dead_letter(elsewhere, 0, partition=1), single_dead_letter(5)]
            )
        parked = stores.parked_products()
        assert await parked.places([0, 2]) == ParkedPlaces({here.product_id}, {(0, 8): "a stray"})
        assert await parked.places([2]) == ParkedPlaces(set(), {})
