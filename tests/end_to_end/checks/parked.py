"""Dead letters: none of records, because no record is bad; only of mails, because the mail server fails."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

NOTIFICATIONS = "notifications"
MAIL_OUTCOMES = ("mail-refused", "mail-outcome-unknown", "mail-not-sent")


class Parked(NamedTuple):
    """A row of `views.parked_event`. `place` is its topic, partition and offset.

    `event_id` is its record's; of a digest, the digest's.
    """

    projection: str
    error_class: str
    event_id: str | None
    place: str
    cause: str


def problems(parked: Sequence[Parked]) -> Iterator[str]:
    """All dead letters except those of mails."""
    for one in parked:
        if one.projection != NOTIFICATIONS or one.error_class not in MAIL_OUTCOMES:
            yield f"{one.projection} has parked {one.place} as {one.error_class}: {one.cause}"
