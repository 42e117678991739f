"""What a library repeats is thinned out and counted; what it says for the first time is not."""

import logging

from shared.ops.log_repeats import RepeatFilter, Repeats
from shared.ops.metrics.process import LOG_LINES_SUPPRESSED

PASSES = 2
INTERVAL = 10.0


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def _record(
    template: str = "node %s is away", *arguments: object, level: int = logging.ERROR, name: str = "aiokafka"
) -> logging.LogRecord:
    return logging.LogRecord(name, level, __file__, 1, template, arguments, None)


def _filter(clock: Clock) -> RepeatFilter:
    return RepeatFilter(Repeats(passes_max=PASSES, interval_seconds=INTERVAL, clock=clock))


def test_the_first_ones_of_a_message_pass_whatever_was_put_into_it() -> None:
    thinning, before = _filter(Clock()), LOG_LINES_SUPPRESSED._value.get()
    assert [thinning.filter(_record("node %s is away", node)) for node in range(4)] == [
        True, True, False, False,
    ]  # fmt: skip
    assert LOG_LINES_SUPPRESSED._value.get() - before == 2


def test_another_message_logger_or_level_has_turns_of_its_own() -> None:
    thinning = _filter(Clock())
    for _ in range(PASSES + 1):
        thinning.filter(_record())
    assert not thinning.filter(_record())
    assert thinning.filter(_record("something else"))
    assert thinning.filter(_record(name="faststream"))
    assert thinning.filter(_record(level=logging.WARNING))


def test_after_the_interval_the_next_one_passes_and_tells_how_many_are_missing() -> None:
    clock = Clock()
    thinning = _filter(clock)
    for _ in range(PASSES + 3):
        thinning.filter(_record())
    clock.now += INTERVAL
    resumed, following = _record(), _record()
    assert thinning.filter(resumed)
    assert thinning.filter(following)
    assert resumed.__dict__["suppressed"] == 3
    assert "suppressed" not in following.__dict__
    assert not thinning.filter(_record())


def test_what_is_critical_or_no_complaint_always_passes() -> None:
    thinning = _filter(Clock())
    for level in (logging.CRITICAL, logging.INFO, logging.DEBUG):
        assert all(thinning.filter(_record(level=level)) for _ in range(PASSES + 3))


def test_messages_that_never_repeat_pass_and_are_forgotten() -> None:
    repeats: Repeats[str] = Repeats(passes_max=PASSES, interval_seconds=INTERVAL, clock=Clock())
    passed = [repeats.suppressed_before(f"request {number} failed") for number in range(2_500)]
    assert passed == [0] * 2_500
    assert len(repeats._seen) <= 1_000
