"""Every log event can be read from the source, has a meaning, and has its fields under fixed names."""

import re

import pytest

from docs.generate.log_events import LogEvent, Unreadable, calls_in, log_events
from docs.generate.log_meanings import MEANINGS
from docs.generate.logs import FIXED_FIELDS
from tests.architecture.source_files import nobody

EVENTS = log_events()
SET_BY_THE_LOG = ("time", "level", "event", "process", "logger", "trace_id", "span_id", "request_id")
"""A field of such a name in a call would hide what the log itself knows."""


def test_every_event_has_a_meaning_and_every_meaning_an_event() -> None:
    nobody(
        f"{name!r}: write its meaning in docs/generate/log_meanings.py" for name in EVENTS.keys() - MEANINGS
    )
    nobody(f"{name!r}: no code logs this; delete its meaning" for name in MEANINGS.keys() - EVENTS)


def test_a_meaning_is_a_sentence() -> None:
    nobody(name for name, meaning in MEANINGS.items() if not re.fullmatch(r"[A-Z`].{15,}\.", meaning))


def test_no_field_hides_what_the_log_itself_knows() -> None:
    nobody(
        f"{event.name!r}: {name}"
        for event in EVENTS.values()
        for name in event.fields
        if name in SET_BY_THE_LOG
    )


def test_a_field_says_its_unit_and_is_written_like_all_others() -> None:
    """A time in a log is useless if nobody knows its unit."""
    times = re.compile(r"(duration|elapsed|took|time|age|wait|timeout|interval)")
    nobody(
        f"{event.name!r}: {name}"
        for event in EVENTS.values()
        for name in event.fields
        if not re.fullmatch(r"[a-z][a-z0-9_]*", name) or times.fullmatch(name)
    )


def test_the_fixed_fields_are_those_that_the_log_sets_and_some_that_calls_set() -> None:
    assert set(SET_BY_THE_LOG) < FIXED_FIELDS.keys()


def _read(source: str) -> list[LogEvent]:
    return list(calls_in("_log = get_logger(__name__)\n" + source, "a.module"))


def test_levels_and_fields_are_read_from_calls_and_from_methods_that_a_condition_chose() -> None:
    read = _read(
        "def f(x):\n"
        "    write = _log.warning if x else _log.error\n"
        "    write('one', a=1, exc_info=x)\n"
        "    (_log.info if x else _log.debug)('two', b=2)\n"
        "    _log.exception('three')\n"
    )
    assert [(one.name, one.levels, list(one.fields)) for one in sorted(read, key=lambda one: one.name)] == [
        ("one", {"warning", "error"}, ["a", "exception"]),
        ("three", {"error"}, ["exception"]),
        ("two", {"info", "debug"}, ["b"]),
    ]


@pytest.mark.parametrize(
    "source",
    [
        "_log.info(f'{x} happened')",
        "_log.info(name)",
        "_log.info('event', **more)",
        "tell(_log.info)",
        "write = pick(_log.info)",
        "write = _log.info\nwrite(name)",
    ],
)
def test_what_cannot_be_read_is_refused(source: str) -> None:
    with pytest.raises(Unreadable):
        _read(source)
