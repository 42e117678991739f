"""docs/logs.md: every log event of the source with its level, its fields and its meaning."""

from collections.abc import Iterable, Mapping, Sequence

from docs.generate.log_events import LogEvent, log_events
from docs.generate.log_fields import FIELDS, FIXED_FIELDS
from docs.generate.log_meanings import MEANINGS

LEVELS = ("debug", "info", "warning", "error", "critical")
_AREAS = (
    ("Every process", ("shared.",)),
    ("Command API, relay and replay", ("command_api.",)),
    ("Projector", ("projector.",)),
    ("Query API", ("query_api.",)),
)
_UNEXPLAINED = "(not explained yet)"
_HEAD = """\
<!-- Generated from the code by `make docs`: do not edit. -->
# Log events

For operators who search logs or make alerts of them.
Each process writes one JSON object for each line to standard output. Line breaks in values are escaped, so no
value can look like another line. Secrets, tokens, and bodies of requests are never logged.

| level | meaning |
|---|---|
| `critical` | something stopped and needs an operator; the line says what to do |
| `error` | something failed that should not; nobody waits for you at once |
| `warning` | an outage or an odd situation that the process handles itself |
| `info`, `debug` | what happens; `LOG_LEVEL` chooses the lowest level that is written |

## Fields of every line

"""
_VOLUME = """
## How many lines

Lines `request` are limited to `ACCESS_LINES_PER_SECOND_MAX` in each second, and warnings among them to as
many again. A line `request lines left out` says how many are missing. Reads that the cache answers write no
line. Repeated warnings and errors of libraries, and repeated lines `access refused`, are thinned out
(`LOG_REPEATS_MAX`, `LOG_REPEATS_SECONDS`); the next line says how many are missing (`suppressed`). Errors of
ours are never left out. A path is cut after 512 characters.

[deploy/logs](../deploy/logs/README.md) sends the lines to a central place. In compose the profile
`observe` sends them to Loki ([observability](observability.md#in-containers)).
"""
_OTHER_FIELDS = """\
## All other fields

A field has the same name and meaning in all processes. A number with a unit ends with the unit.

"""


def logs_page() -> str:
    """All of docs/logs.md. A test refuses an event without a meaning."""
    events = log_events().values()
    sections = [_section(title, list(_of(events, packages))) for title, packages in _AREAS]
    return "\n".join([_HEAD + _table(FIXED_FIELDS), _VOLUME, *sections, _OTHER_FIELDS + _table(FIELDS), ""])


def _table(fields: Mapping[str, str]) -> str:
    rows = [f"| `{name}` | {meaning} |" for name, meaning in fields.items()]
    return "\n".join(["| field | content |", "|---|---|", *rows])


def _of(events: Iterable[LogEvent], packages: Sequence[str]) -> Iterable[LogEvent]:
    """An event of several packages is in the section of its first module."""
    return (event for event in events if min(event.modules).startswith(tuple(packages)))


def _section(title: str, events: Sequence[LogEvent]) -> str:
    rows = [_row(event) for event in sorted(events, key=lambda event: event.name.casefold())]
    return "\n".join(
        [f"## {title}\n", "| event | level | fields | meaning |", "|---|---|---|---|", *rows, ""]
    )


def _row(event: LogEvent) -> str:
    levels = ", ".join(level for level in LEVELS if level in event.levels)
    fields = ", ".join(f"`{name}`" for name in event.fields) or "-"
    return f"| `{event.name}` | {levels} | {fields} | {MEANINGS.get(event.name, _UNEXPLAINED)} |"
