"""Every log event can be read from the source, has a meaning, and has its fields under fixed names."""

import re
from collections.abc import Iterable, Iterator

import pytest

from docs.generate.log_events import LogEvent, Unreadable, calls_in, log_events
from docs.generate.log_fields import FIELDS, FIXED_FIELDS
from docs.generate.log_meanings import MEANINGS
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


def test_every_field_is_declared_once_and_every_declared_field_is_used() -> None:
    used = {name: event.name for event in EVENTS.values() for name in event.fields}
    nobody(
        f"{used[name]!r}: say in docs/generate/log_fields.py what {name} means, or use a name that is there"
        for name in used.keys() - FIELDS.keys() - FIXED_FIELDS.keys()
    )
    nobody(f"{name}: no event has this field" for name in FIELDS.keys() - used.keys())
    nobody(FIELDS.keys() & FIXED_FIELDS.keys())


# A stem that measures something, and the units of this project.
_MEASURES = re.compile(
    r"(duration|elapsed|took|age|wait(ed)?|pause|delay|timeout|interval|lag|size|length)(_|\Z)"
)
_UNITS = re.compile(r"(?P<stem>[a-z0-9_]+)_(?P<unit>ms|seconds|bytes|events|lines)(_max|_min)?")
_OTHER_SPELLINGS = re.compile(
    r".*(milli|micro|msecs?\b|secs?\b|minutes|hours|kib|mib|kb\b|mb\b).*|seconds|bytes|ms"
)


def _wrong_fields(names: Iterable[str]) -> Iterator[str]:
    units: dict[str, str] = {}
    for name in sorted(names):
        measured = _UNITS.fullmatch(name)
        if not re.fullmatch(r"[a-z][a-z0-9_]*", name) or _OTHER_SPELLINGS.fullmatch(name):
            yield name
        elif _MEASURES.match(name) and measured is None:
            yield f"{name}: without its unit"
        elif measured and units.setdefault(measured["stem"], measured["unit"]) != measured["unit"]:
            yield f"{name}: {measured['stem']} is in {units[measured['stem']]} elsewhere"


def test_a_field_says_its_unit_and_has_one_unit_in_all_processes() -> None:
    """A time in a log is useless if nobody knows its unit."""
    nobody(_wrong_fields(FIELDS.keys() | FIXED_FIELDS.keys()))


@pytest.mark.parametrize(
    "names",
    [
        {"milliseconds"},
        {"duration"},
        {"seconds"},
        {"wait"},
        {"lag"},
        {"size_kb"},
        {"wait_milliseconds"},
        {"duration_ms", "duration_seconds"},
        {"durationMs"},
    ],
)
def test_a_field_without_a_unit_or_with_another_one_is_noticed(names: set[str]) -> None:
    assert list(_wrong_fields({"product_id", *names}))


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
