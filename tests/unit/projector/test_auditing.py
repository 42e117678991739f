"""The audit log as operators use it: long actions have a beginning and an end, and each entry is logged."""

import asyncio
from datetime import UTC, datetime

import pytest
from structlog.testing import capture_logs

from projector.applying.dead_letters import Action
from projector.audit.log_lines import AuditLogLines
from projector.audit.ports import Choice
from projector.errors import CannotGoOn, Unavailable, UnknownProjection
from projector.operators.auditing import Auditing, time_with_zone
from shared.access.operator_actions import bounded_actor, bounded_reason, needed_reason
from tests.in_memory.audit import InMemoryAuditLog

REBUILD = Action("ann", "rebuild", "the table was changed by hand")
ALL = Choice()


@pytest.fixture
def audit() -> InMemoryAuditLog:
    return InMemoryAuditLog()


async def _entries(audit: InMemoryAuditLog) -> list[tuple[str, str]]:
    return [(one.result, one.detail) for one in reversed(await audit.recorded(ALL, 10))]


async def test_a_long_action_is_recorded_when_it_starts_and_when_it_is_done(audit: InMemoryAuditLog) -> None:
    async with Auditing(audit, ["one"]).long_action(REBUILD, "one", pytest.fail) as tell:
        assert await _entries(audit) == [("started", "")]
        tell("3 rows")
    assert await _entries(audit) == [("started", ""), ("done", "3 rows")]


@pytest.mark.parametrize(
    ("error", "end"),
    [
        (CannotGoOn("it differs"), ("failed", "it differs")),
        (ZeroDivisionError(), ("failed", "ZeroDivisionError")),
        (asyncio.CancelledError(), ("stopped", "")),
    ],
)
async def test_a_long_action_that_fails_or_is_stopped_is_recorded_so(
    audit: InMemoryAuditLog, error: BaseException, end: tuple[str, str]
) -> None:
    with pytest.raises(type(error)):
        async with Auditing(audit, ["one"]).long_action(REBUILD, "one", pytest.fail):
            raise error
    assert await _entries(audit) == [("started", ""), end]


async def test_an_action_whose_end_cannot_be_recorded_has_happened_with_a_complaint(
    audit: InMemoryAuditLog,
) -> None:
    complaints: list[str] = []
    async with Auditing(audit, ["one"]).long_action(REBUILD, "one", complaints.append):
        audit.failure = Unavailable("read model: it is away")
    assert complaints == [
        "the audit log lacks the end of this rebuild (done): read model: it is away",
    ]


async def test_an_action_whose_start_cannot_be_recorded_does_not_begin(audit: InMemoryAuditLog) -> None:
    audit.failure = Unavailable("it is away")
    with pytest.raises(Unavailable):
        async with Auditing(audit, ["one"]).long_action(REBUILD, "one", pytest.fail):
            pytest.fail("it began")


async def test_a_page_says_where_the_next_one_begins(audit: InMemoryAuditLog) -> None:
    auditing = Auditing(audit, ["one"])
    for _ in range(3):
        await audit.record(REBUILD, "one", "done", "")
    first = await auditing.recorded(ALL, 2)
    assert first.next_cursor is not None
    rest = await auditing.recorded(Choice(before=int(first.next_cursor)), 2)
    assert [one.action_id for one in (*first.items, *rest.items)] == [3, 2, 1]
    assert rest.next_cursor is None
    assert (await auditing.recorded(ALL, 3)).next_cursor is None
    with pytest.raises(UnknownProjection):
        await auditing.recorded(Choice(projection="two"), 2)


async def test_a_projector_logs_each_entry_once_and_an_outage_delays_the_line(
    audit: InMemoryAuditLog,
) -> None:
    lines = AuditLogLines(audit)
    await audit.record(REBUILD, "one", "failed", "x" * 10_000)
    audit.failure = Unavailable("it is away")
    with pytest.raises(Unavailable):
        await lines.turn()
    audit.failure = None
    with capture_logs() as written:
        await lines.turn()
        await lines.turn()
    (line,) = written
    assert line["event"] == "operator action"
    assert (line["actor"], line["action"], line["reason"]) == REBUILD
    assert (line["projection"], line["result"], line["product_id"]) == ("one", "failed", None)
    assert datetime.fromisoformat(line["acted_at"]).tzinfo is not None
    assert len(line["detail"]) == 500


def test_a_reason_and_an_actor_are_one_bounded_line() -> None:
    assert bounded_reason("") == ""
    assert needed_reason(" the table\nis looked at ") == "the table is looked at"
    for wrong in ("", "  ", "x" * 1001, "a\x07b", "\ud800"):
        with pytest.raises(ValueError, match="reason"):
            needed_reason(wrong)
    assert bounded_actor("ann") == "ann"
    for wrong in ("", "x" * 256, "a\x07b"):
        with pytest.raises(ValueError, match="actor"):
            bounded_actor(wrong)


def test_a_time_needs_a_zone() -> None:
    assert time_with_zone("2026-11-28T09:00:00Z") == datetime(2026, 11, 28, 9, tzinfo=UTC)
    for wrong in ("2026-11-28T09:00:00", "yesterday", ""):
        with pytest.raises(ValueError, match="time"):
            time_with_zone(wrong)
