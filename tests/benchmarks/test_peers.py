"""A read model beside its log, and what the tables of the suite `peers` tell: figures as values."""

from decimal import Decimal
from uuid import UUID

import pytest

from tests.benchmarks.cost_run import Cost
from tests.benchmarks.mixed_commands import Outcome
from tests.benchmarks.peer_run import AT_MANY, FEW, MANY, SATURATION, PeerRun
from tests.benchmarks.peer_sheet import fresh_lines, lost_lines, part_lines, picture_lines
from tests.benchmarks.peer_system import PROJECTION, WRITE, pids_of
from tests.benchmarks.read_model import Compared, Row, compare
from tests.benchmarks.whole_system import POSTGRES

SHIRT, SHOE, SCARF = (UUID(int=number) for number in range(3))
LOG = {
    SHIRT: Row(1, Decimal("9.00"), 1),
    SHOE: Row(3, Decimal("12.50"), 3),
    SCARF: Row(2, Decimal("5.00"), 2),
}


def a_run(answer_milliseconds: float = 2.0) -> PeerRun:
    seen = Outcome(answered=[answer_milliseconds], visible=[4.0])
    costs = {
        AT_MANY: Cost({WRITE: 1.0, PROJECTION: 0.5, POSTGRES: 2.0}, 0.1),
        SATURATION: Cost({WRITE: 2.0, PROJECTION: 1.0, POSTGRES: 4.0}, 0.1),
    }
    compared = {AT_MANY: Compared(20), SATURATION: Compared(30, 1, 2, 3)}
    return PeerRun({FEW: seen, MANY: seen}, {}, costs, 500.0, 600.0, 2.0, compared)


def test_a_read_model_with_everything_has_lost_nothing() -> None:
    assert compare(LOG, {**LOG, SHIRT: Row(1, Decimal("9.0"), 1)}) == Compared(3)


def test_products_that_differ_from_the_log_are_counted_by_what_is_wrong() -> None:
    rows = {SHOE: Row(2, Decimal("11.00"), 2), SCARF: Row(2, Decimal("4.00"), 2)}
    found = compare(LOG, rows)
    assert (found.missing, found.behind, found.wrong, found.lost) == (1, 1, 1, 3)


def test_an_event_that_was_skipped_is_noticed_although_the_newest_version_is_there() -> None:
    assert compare(LOG, {**LOG, SHOE: Row(3, Decimal("12.50"), 2)}).wrong == 1


def test_a_product_that_nobody_wrote_is_an_error() -> None:
    with pytest.raises(RuntimeError, match="not in the log"):
        compare({}, {SHIRT: LOG[SHIRT]})


def test_a_part_that_a_system_does_not_have_has_no_figure() -> None:
    lines = part_lines([("peer", [a_run()])])
    assert "| 100/s | peer | 3.50 | 1.00 | - | 0.50 | - | - | - | 2.00 | 0.10 |" in lines
    assert "| saturation | peer | 7.00 | 2.00 | - | 1.00 | - | - | - | 4.00 | 0.10 |" in lines


def test_a_system_that_was_not_measured_has_a_row_without_figures() -> None:
    assert "| 100/s | peer | " + " | ".join(["-"] * 9) + " |" in part_lines([("peer", [])])
    assert "| peer, the row by SQL | -, -, - | -, -, - |" in fresh_lines([("peer", [])])


def test_the_picture_has_the_parts_that_a_system_has() -> None:
    lines = picture_lines([("peer", [a_run()]), ("not measured", [])])
    bars = [line.removeprefix("peer").split("█")[0].strip() for line in lines if "█" in line]
    assert bars == [WRITE, PROJECTION, POSTGRES] * 2


def test_freshness_by_token_has_a_row_where_there_are_such_reads() -> None:
    run = a_run()
    seen = {rate: Outcome(answered=[2.0], visible=[1.0]) for rate in (FEW, MANY)}
    whole = PeerRun(
        run.rows, seen, run.costs, run.sustained_rate, run.answered_rate, run.behind_seconds, run.compared
    )
    lines = fresh_lines([("peer", [run]), ("this one", [whole])])
    assert [line for line in lines if "token" in line] == [
        "| this one, a read with its token | 2.00, 1.00, 1.00 | 2.00, 1.00, 1.00 |"
    ]


def test_what_was_lost_is_told_for_each_round() -> None:
    told = lost_lines([("peer", [a_run(), a_run()])])[2:]
    assert told[1] == "  - after 100/s: all 20 products are as in the log."
    assert "of 30 products 1 are missing, 2 have an older version than the log, 3 another price" in told[2]
    assert told[3:] == told[:3]


@pytest.mark.parametrize(("milliseconds", "expected"), [(2.0, False), (5_000.0, True)])
def test_a_system_that_cannot_do_the_rate_is_said_so(milliseconds: float, *, expected: bool) -> None:
    told = lost_lines([("peer", [a_run(milliseconds)])])[2]
    assert ("could not do" in told) is expected


def test_a_part_that_has_ended_is_named() -> None:
    assert pids_of({WRITE: 7}) == {WRITE: 7}
    with pytest.raises(RuntimeError, match=PROJECTION):
        pids_of({WRITE: 7, PROJECTION: None})
