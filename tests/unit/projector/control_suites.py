"""What a control board, and dead letters on their way to the dead-letter topic, must do; for each adapter."""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from typing import Protocol
from uuid import UUID

import pytest

from projector.applying.dead_letters import Action, Parking
from projector.control.ports import (
    WAITS_FOR_KAFKA,
    ControlBoard,
    LagReport,
    LastReport,
    ParkedCount,
    PartitionLag,
)
from projector.parking.copy_ports import UncopiedDeadLetters
from tests.unit.projector.histories import created, history, new_product_id, priced
from tests.unit.projector.view_suites import dead_letter, single_dead_letter

OLD_LOG, NEW_LOG = UUID(int=1), UUID(int=2)
PAUSE, RESUME = Action("ann", "pause", "looking"), Action("ann", "resume", "mended")


class ControlStores(Protocol):
    """A control board and what is parked beside it."""

    def board(self) -> ControlBoard: ...

    def dead_letters(self) -> UncopiedDeadLetters:
        """As one of several processes asks for them."""

    def parking(self, projection: str) -> AbstractAsyncContextManager[Parking]: ...

    async def lags(self) -> Sequence[tuple[str, str, PartitionLag]]:
        """What was told, by projection, topic and partition."""


class Oops(Exception):
    """Ends a copy in the middle."""


class ControlBoardSuite:
    """Wishes of operators, and what projections tell."""

    async def test_a_wish_stands_until_the_next_one_and_each_is_a_new_revision(
        self, stores: ControlStores
    ) -> None:
        board = stores.board()
        assert await board.wanted() == {}
        revisions = []
        for action, is_paused in ((PAUSE, True), (PAUSE, True), (RESUME, False)):
            await board.set("one", action, is_paused=is_paused)
            wanted = (await board.wanted())["one"]
            assert (wanted.is_paused, wanted.reason) == (is_paused, action.reason)
            revisions.append(wanted.revision)
        assert revisions == sorted(set(revisions))
        assert (await board.wanted()).keys() == {"one"}

    async def test_what_was_told_last_of_a_partition_stands(self, stores: ControlStores) -> None:
        board = stores.board()
        first = [PartitionLag(at, 10, 5, 3, 1.5, None) for at in (0, 1)]
        await board.tell([LagReport("one", "t", first), LagReport("other", "t", first[:1])])
        newer = PartitionLag(1, 12, 7, 0, 0.0, "stopped: a hole")
        await board.tell([LagReport("one", "t", [newer])])
        await board.tell([LagReport("one", "t", [])])
        assert await stores.lags() == [
            ("one", "t", first[0]), ("one", "t", newer), ("other", "t", first[0]),
        ]  # fmt: skip

    async def test_a_position_only_grows_until_it_is_of_another_log(self, stores: ControlStores) -> None:
        board, here = stores.board(), PartitionLag(0, 0, 5, 3, 1.5, None)
        expected = (
            (10, OLD_LOG, 10, OLD_LOG),
            (0, None, 10, OLD_LOG),  # another process has the partition now, and has seen no event yet
            (9, OLD_LOG, 10, OLD_LOG),
            (7, NEW_LOG, 7, NEW_LOG),
            (8, NEW_LOG, 8, NEW_LOG),
        )
        for position, log_id, kept_position, kept_log_id in expected:
            await board.tell([LagReport("one", "t", [here._replace(log_position=position, log_id=log_id)])])
            kept = here._replace(log_position=kept_position, log_id=kept_log_id)
            assert await stores.lags() == [("one", "t", kept)]

    async def test_the_last_report_of_a_partition_says_whether_its_reader_told_it_just_now(
        self, stores: ControlStores
    ) -> None:
        board = stores.board()
        troubles = (None, "stopped: a hole", f"{WAITS_FOR_KAFKA}no answer")
        lags = [PartitionLag(at, 10, 5 + at, 3, 1.5, trouble) for at, trouble in enumerate(troubles)]
        await board.tell([LagReport("one", "t", lags)])
        await board.tell([LagReport("other", "t", lags[:1])])
        await board.tell([LagReport("one", "other", [lags[0]._replace(partition=9)])])
        assert await board.last_reports("one", "t", seconds_max=60) == {
            0: LastReport(5, is_by_reader=True),
            1: LastReport(6, is_by_reader=True),
            2: LastReport(7, is_by_reader=False),
        }
        old = await board.last_reports("one", "t", seconds_max=0)
        assert {one.is_by_reader for one in old.values()} == {False}

    async def test_it_counts_what_is_parked_by_projection(self, stores: ControlStores) -> None:
        events = history(new_product_id(), created(), priced("2.00"))
        async with stores.parking("one") as parking:
            await parking.park([dead_letter(events[0], 0), dead_letter(events[1], 1), single_dead_letter(2)])
        async with stores.parking("other") as parking:
            await parking.park([single_dead_letter(0)])
            assert await stores.board().counts() != {}
        counts = await stores.board().counts()
        assert {name: count[:2] for name, count in counts.items()} == {"one": (1, 3), "other": (0, 1)}
        assert all(isinstance(one, ParkedCount) and one.oldest_seconds >= 0 for one in counts.values())


class UncopiedDeadLettersSuite:
    """Each parked record once to the dead-letter topic."""

    async def test_dead_letters_come_in_the_order_of_parking_and_are_marked_when_the_block_ends_well(
        self, stores: ControlStores
    ) -> None:
        event = history(new_product_id(), created())[0]
        async with stores.parking("one") as parking:
            await parking.park(
                [single_dead_letter(3, "a"), dead_letter(event, 1, "b"), single_dead_letter(2, "c")]
            )
        async with stores.parking("other") as parking:
            await parking.park([single_dead_letter(9)])
        async with stores.dead_letters().uncopied(["one"], 2) as found:
            assert [(one.offset, one.cause, one.projection) for one in found] == [
                (3, "a", "one"), (1, "b", "one"),
            ]  # fmt: skip
            assert found[1].key == str(event.product_id).encode()
        async with stores.dead_letters().uncopied(["one", "other"], 10) as found:
            assert [(one.offset, one.projection) for one in found] == [(2, "one"), (9, "other")]
        async with stores.dead_letters().uncopied(["one", "other"], 10) as found:
            assert found == []

    async def test_dead_letters_whose_copy_failed_come_again(self, stores: ControlStores) -> None:
        async with stores.parking("one") as parking:
            await parking.park([single_dead_letter(3)])

        async def fail() -> None:
            async with stores.dead_letters().uncopied(["one"], 10):
                raise Oops

        with pytest.raises(Oops):
            await fail()
        async with stores.dead_letters().uncopied(["one"], 10) as found:
            assert [one.offset for one in found] == [3]

    async def test_another_process_passes_over_those_that_are_being_copied(
        self, stores: ControlStores
    ) -> None:
        async with stores.parking("one") as parking:
            await parking.park([single_dead_letter(3), single_dead_letter(4)])
        async with (
            stores.dead_letters().uncopied(["one"], 1),
            stores.dead_letters().uncopied(["one"], 10) as others,
        ):
            assert [one.offset for one in others] == [4]

    async def test_what_was_never_on_kafka_is_not_copied(self, stores: ControlStores) -> None:
        async with stores.parking("one") as parking:
            await parking.park([single_dead_letter(3, partition=-1)])
        async with stores.dead_letters().uncopied(["one"], 10) as found:
            assert found == []
