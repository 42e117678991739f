"""Which events one recipient gets as single mails, and which in a digest: the first few are single mails.

Pure: times and counts of sent mails come in as values. A window begins with the first event after a quiet
time. After its single mails, all other events gather for a digest at its end. That digest closes the next
window to single mails, so a burst is one digest for each window; it is over when a closed window had no more
events than a window has single mails. Events of an import always gather, apart from the burst: they
use up no single mails and wait for none.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from projector.notifications.text import Kind

NO_IMPORT = ""
"""Import id of a burst's gathering; ids of imports are never empty."""


class Telling(NamedTuple):
    """An event to notify of. `import_id` None: no import wrote it."""

    event_id: UUID
    product_id: UUID
    kind: Kind
    log_position: int
    import_id: str | None


class PaceLimits(NamedTuple):
    """The number of single mails in a window, and the window's length."""

    single_mails_max: int
    window_seconds: float


class Pace(NamedTuple):
    """The state of one recipient: when the newest window ends, and how many single mails it had.

    `has_burst`: a burst gathers, and no digest has taken it yet.
    """

    window_ends_at: datetime
    single_mails: int
    has_burst: bool


class Plan(NamedTuple):
    """`gathered`: by import id (or `NO_IMPORT`), with the time when a new gathering is due."""

    pace: Pace
    singles: Sequence[Telling]
    gathered: Mapping[str, Sequence[Telling]]
    due_at: Mapping[str, datetime]


def plan(pace: Pace, tellings: Iterable[Telling], now: datetime, limits: PaceLimits) -> Plan:
    """The plan for events that this recipient has no mail about yet, in order."""
    window = timedelta(seconds=limits.window_seconds)
    singles: list[Telling] = []
    gathered: dict[str, list[Telling]] = {}
    due_at: dict[str, datetime] = {}
    for telling in tellings:
        if telling.import_id:
            gathered.setdefault(telling.import_id, []).append(telling)
            due_at[telling.import_id] = now + window
            continue
        if now >= pace.window_ends_at and not pace.has_burst:
            pace = Pace(now + window, 0, has_burst=False)
        if pace.single_mails < limits.single_mails_max and not pace.has_burst:
            singles.append(telling)
            pace = pace._replace(single_mails=pace.single_mails + 1)
        else:
            gathered.setdefault(NO_IMPORT, []).append(telling)
            due_at[NO_IMPORT] = pace.window_ends_at
            pace = pace._replace(has_burst=True)
    return Plan(pace, singles, gathered, due_at)
