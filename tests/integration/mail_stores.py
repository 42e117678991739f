"""What the suites of mails ask for, over the real read model."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from projector.notifications.postgres.claims import PostgresClaims
from projector.notifications.postgres.digests import PostgresDigests
from projector.notifications.postgres.pacing import PostgresPacing
from tests.unit.projector.mail_suites import LIMITS, UNKNOWN_AFTER_SECONDS

_TIMES = {
    "notification": ("claimed_at", "settled_at"),
    "notification_pace": ("window_ends_at", "digest_not_before"),
    "notification_gathering": ("opened_at", "due_at"),
    "notification_digest": ("made_at", "claimed_at", "settled_at", "retry_at", "parked_at"),
}


class PostgresMailStores:
    """Implements `mail_suites.MailStores`. The clock is the server's, so that what is stored grows older."""

    def __init__(self, read_model: Any, owner: Any) -> None:
        self._read_model = read_model
        self._owner = owner

    def claims(self) -> PostgresClaims:
        return PostgresClaims(self._read_model, unknown_after_seconds=UNKNOWN_AFTER_SECONDS)

    def pacing(self) -> PostgresPacing:
        return PostgresPacing(self._read_model, LIMITS)

    def digests(self) -> PostgresDigests:
        return PostgresDigests(self._read_model, LIMITS, unknown_after_seconds=UNKNOWN_AFTER_SECONDS)

    async def pass_time(self, seconds: float) -> None:
        for table, columns in _TIMES.items():
            older = ", ".join(f"{one} = {one} - make_interval(secs => $1)" for one in columns)
            await self._owner.execute(f"UPDATE views.{table} SET {older}", seconds)

    async def states(self) -> Mapping[tuple[UUID, str], str]:
        rows = await self._read_model.fetch("SELECT event_id, recipient, state FROM views.notification")
        return {(row["event_id"], row["recipient"]): row["state"] for row in rows}
