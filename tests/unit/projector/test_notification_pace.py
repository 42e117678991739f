"""Single mails or a digest: what is decided for one recipient, by the clock and by what was sent so far."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from projector.notifications.pace import NO_IMPORT, Pace, PaceLimits, Plan, Telling, plan

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
QUIET = Pace(datetime(1970, 1, 1, tzinfo=UTC), 0, has_burst=False)
LIMITS = PaceLimits(single_mails_max=3, window_seconds=60.0)
WINDOW = timedelta(seconds=60)


def telling(number: int, import_id: str | None = None) -> Telling:
    return Telling(UUID(int=number), UUID(int=number), "product-created", number, import_id)


def changes(*numbers: int) -> list[Telling]:
    return [telling(number) for number in numbers]


def after(plan_before: Plan) -> Pace:
    """What the table says afterwards: whether a burst gathers is seen by its gathering."""
    return plan_before.pace


def test_few_changes_are_single_mails() -> None:
    found = plan(QUIET, changes(1, 2, 3), NOW, LIMITS)
    assert found == Plan(Pace(NOW + WINDOW, 3, has_burst=False), changes(1, 2, 3), {}, {})


def test_what_is_more_than_that_in_a_window_gathers_for_a_digest_at_its_end() -> None:
    first = plan(QUIET, changes(1, 2), NOW, LIMITS)
    later = NOW + WINDOW / 2
    second = plan(after(first), changes(3, 4, 5), later, LIMITS)
    assert second.singles == changes(3)
    assert second.gathered == {NO_IMPORT: changes(4, 5)}
    assert second.due_at == {NO_IMPORT: NOW + WINDOW}


def test_after_a_window_that_was_not_used_up_single_mails_begin_anew() -> None:
    first = plan(QUIET, changes(1, 2, 3), NOW, LIMITS)
    assert plan(after(first), changes(4), NOW + WINDOW, LIMITS).singles == changes(4)


def test_while_a_burst_waits_for_its_digest_all_else_joins_it_however_late_that_is() -> None:
    pace = Pace(NOW, 3, has_burst=True)
    found = plan(pace, changes(1), NOW + 10 * WINDOW, LIMITS)
    assert (found.singles, found.gathered) == ([], {NO_IMPORT: changes(1)})
    assert found.pace.window_ends_at == NOW


def test_the_window_after_a_digest_of_a_burst_has_no_single_mails_and_the_one_after_that_has() -> None:
    told = Pace(NOW + WINDOW, 4, has_burst=False)  # as taking the digest leaves it
    assert plan(told, changes(1), NOW, LIMITS).gathered == {NO_IMPORT: changes(1)}
    assert plan(told, changes(1), NOW + WINDOW, LIMITS).singles == changes(1)


def test_what_an_import_wrote_gathers_by_itself_and_uses_up_no_single_mails() -> None:
    mixed = [telling(1, "spring"), telling(2), telling(3, "autumn"), telling(4, "spring"), telling(5)]
    found = plan(QUIET, mixed, NOW, LIMITS)
    assert found.singles == changes(2, 5)
    assert found.gathered == {"spring": [mixed[0], mixed[3]], "autumn": [mixed[2]]}
    assert found.due_at == {"spring": NOW + WINDOW, "autumn": NOW + WINDOW}
    assert found.pace == Pace(NOW + WINDOW, 2, has_burst=False)


def test_an_import_alone_begins_no_window_of_single_mails() -> None:
    assert plan(QUIET, [telling(1, "spring")], NOW, LIMITS).pace == QUIET


def test_with_no_single_mails_allowed_everything_is_a_digest() -> None:
    found = plan(QUIET, changes(1), NOW, PaceLimits(0, 60.0))
    assert (found.singles, found.due_at) == ([], {NO_IMPORT: NOW + WINDOW})


@given(
    st.lists(st.tuples(st.integers(0, 90), st.none() | st.sampled_from(["a", "b"])), max_size=40),
    st.integers(0, 4),
)
def test_each_event_is_told_one_way_and_no_window_has_more_single_mails_than_allowed(
    steps: list[tuple[int, str | None]], single_mails_max: int
) -> None:
    """Digests are taken when they are due, as the loop does."""
    limits = PaceLimits(single_mails_max, 60.0)
    pace, now, due = QUIET, NOW, None
    singles: list[tuple[datetime, Telling]] = []
    gathered: list[Telling] = []
    for number, (seconds, import_id) in enumerate(steps):
        now += timedelta(seconds=seconds)
        if due is not None and due <= now:
            pace, due = Pace(now + WINDOW, single_mails_max, has_burst=False), None
        found = plan(pace, [telling(number, import_id)], now, limits)
        pace = found.pace
        due = found.due_at.get(NO_IMPORT, due)
        singles += [(now, one) for one in found.singles]
        gathered += [one for some in found.gathered.values() for one in some]
    told = sorted([one.event_id.int for _, one in singles] + [one.event_id.int for one in gathered])
    assert told == list(range(len(steps)))
    assert all(one.import_id is None for _, one in singles)
    for at, _ in singles:
        # A window begins with its first mail, so two may touch: twice the number at most in any such time.
        assert sum(at <= other < at + WINDOW for other, _ in singles) <= max(2 * single_mails_max - 1, 0)
