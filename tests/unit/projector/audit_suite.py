"""What an audit log must do; for each adapter."""

from collections.abc import Sequence

import pytest

from projector.applying.dead_letters import Action
from projector.audit.ports import AuditLog, Choice, RecordedAction
from tests.unit.projector.histories import new_product_id

ANN, BEN = Action("ann", "retry", "mended"), Action("ben", "rebuild", "")
ALL = Choice()


class Oops(Exception):
    """Ends a block in the middle."""


def _told(actions: Sequence[RecordedAction]) -> list[tuple[str, str, str]]:
    return [(one.actor, one.projection, one.result) for one in actions]


class AuditLogSuite:
    """Entries are added, read with the newest first, and logged once."""

    async def test_an_entry_says_who_did_what_why_and_how_it_ended(self, audit: AuditLog) -> None:
        product_id = new_product_id()
        await audit.record(ANN, "one", "failed", "a \0 in the cause", product_id)
        (entry,) = await audit.recorded(ALL, 10)
        assert (entry.actor, entry.action, entry.reason) == ANN
        assert (entry.projection, entry.product_id, entry.result) == ("one", product_id, "failed")
        assert "in the cause" in entry.detail
        assert entry.acted_at.tzinfo is not None

    async def test_entries_are_read_newest_first_page_by_page_and_by_choice(self, audit: AuditLog) -> None:
        await audit.record(ANN, "one", "done", "")
        await audit.record(BEN, "two", "started", "")
        between = (await audit.recorded(ALL, 1))[0].acted_at
        await audit.record(BEN, "two", "stopped", "")
        newest = await audit.recorded(ALL, 2)
        assert _told(newest) == [("ben", "two", "stopped"), ("ben", "two", "started")]
        older = await audit.recorded(Choice(before=newest[-1].action_id), 2)
        assert _told(older) == [("ann", "one", "done")]
        assert _told(await audit.recorded(Choice(projection="one"), 10)) == [("ann", "one", "done")]
        assert _told(await audit.recorded(Choice(actor="ben"), 1)) == [("ben", "two", "stopped")]
        assert len(await audit.recorded(Choice(since=between), 10)) == 2
        assert await audit.recorded(Choice("one", "ben"), 10) == []

    async def test_an_entry_is_logged_once_in_order_and_again_if_that_failed(self, audit: AuditLog) -> None:
        for projection in ("one", "two", "three"):
            await audit.record(ANN, projection, "done", "")

        async def fail() -> None:
            async with audit.unlogged(10):
                raise Oops

        with pytest.raises(Oops):
            await fail()
        async with audit.unlogged(2) as actions:
            assert [one.projection for one in actions] == ["one", "two"]
            async with audit.unlogged(10) as others:
                assert [one.projection for one in others] == ["three"]
        async with audit.unlogged(10) as actions:
            assert actions == []
        assert len(await audit.recorded(ALL, 10)) == 3
