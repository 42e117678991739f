"""Digests in memory: what has gathered becomes a mail, which one process at a time may send."""

import itertools
import uuid
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from projector.notifications.digest_ports import Contents, Digest, Gathered, Open, ToldProducts, Undelivered
from projector.notifications.digest_text import Sort
from projector.notifications.pace import NO_IMPORT, PaceLimits
from projector.notifications.ports import Claim, ClaimState
from projector.notifications.postgres.claims import OUTCOME_UNKNOWN
from tests.in_memory.mails import Gathering, InMemoryMails, SingleMail

_UNDELIVERED = ("refused", "unknown")
_UNFINISHED = ("failed", *_UNDELIVERED)


@dataclass
class DigestRow:
    """One digest."""

    digest_id: UUID
    number: int
    recipient: str
    made_at: datetime
    claimed_at: datetime
    claim_id: UUID
    state: ClaimState = "claimed"
    attempts: int = 1
    cause: str | None = None
    settled_at: datetime | None = None
    retry_at: datetime | None = None
    is_parked: bool = False

    @property
    def is_on_its_way(self) -> bool:
        """Now, or by itself later."""
        return self.state == "claimed" or (self.state == "failed" and self.retry_at is not None)

    def claim(self, claim_id: UUID, now: datetime) -> None:
        """Once more."""
        self.state, self.claim_id, self.claimed_at = "claimed", claim_id, now
        self.attempts += 1
        self.cause = self.retry_at = self.settled_at = None

    def told(self) -> Digest:
        """As the port has it."""
        return Digest(self.digest_id, self.recipient, self.attempts, self.made_at)


class InMemoryDigests:
    """Implements `digest_ports.Digests`. After `unknown_after_seconds` a claim's outcome is unknown."""

    def __init__(self, mails: InMemoryMails, limits: PaceLimits, *, unknown_after_seconds: float) -> None:
        self.rows: dict[UUID, DigestRow] = {}
        self._mails = mails
        self._limits = limits
        self._unknown_after = timedelta(seconds=unknown_after_seconds)
        self._numbers = itertools.count(1)

    async def open(self) -> Open:
        self._mails.fail()
        gathering = [one for one in self._mails.gatherings if one.digest_id is None]
        is_any_unfinished = any(
            one.is_on_its_way or (one.state in _UNFINISHED and not one.is_parked)
            for one in self.rows.values()
        )
        is_any_due = any(one.due_at <= self._mails.now for one in gathering)
        return Open(bool(gathering) or is_any_unfinished, is_any_due or is_any_unfinished)

    async def take(self, recipients: Sequence[str], claim_id: UUID, digests_max: int) -> Sequence[Digest]:
        self._mails.fail()
        now = self._mails.now
        failed = (one for one in self.rows.values() if one.state == "failed" and one.recipient in recipients)
        due = [one for one in failed if one.retry_at is not None and one.retry_at <= now]
        for row in sorted(due, key=lambda one: one.retry_at or now)[:digests_max]:
            row.claim(claim_id, now)
        for recipient in sorted(recipients):
            if len(self._claimed(claim_id)) < digests_max:
                self._make(recipient, claim_id)
        return [one.told() for one in sorted(self._claimed(claim_id), key=lambda one: one.recipient)]

    async def contents(self, digest_id: UUID, shown_max: int) -> Contents:
        self._mails.fail()
        products: defaultdict[UUID, list[SingleMail]] = defaultdict(list)
        for mail in self._mails.single.values():
            if mail.gathering is not None and mail.gathering.digest_id == digest_id:
                products[mail.product_id].append(mail)
        sorts: defaultdict[Sort, list[list[SingleMail]]] = defaultdict(list)
        for told in sorted(products.values(), key=lambda told: min(one.log_position for one in told)):
            sorts[_sort(told)].append(told)
        gatherings = sorted(self._of(digest_id), key=lambda one: (one.opened_at, one.import_id))
        imports = list(dict.fromkeys(one.import_id for one in gatherings if one.import_id != NO_IMPORT))
        return Contents(
            {sort: _told(sorts[sort], shown_max) for sort in sorted(sorts)}, imports[:shown_max], len(imports)
        )

    async def settle(
        self,
        digest_id: UUID,
        claim_id: UUID,
        state: ClaimState,
        cause: str | None,
        retry_seconds: float | None = None,
    ) -> None:
        self._mails.fail()
        row = self.rows.get(digest_id)
        if row is not None and row.claim_id == claim_id and row.state in ("claimed", "unknown"):
            now = self._mails.now
            row.state, row.cause, row.settled_at = state, cause, now
            row.retry_at = None if retry_seconds is None else now + timedelta(seconds=retry_seconds)

    async def undelivered(self, digests_max: int) -> Sequence[Undelivered]:
        self._mails.fail()
        self._mark_old_unknown()
        found = [
            one for one in self.rows.values()
            if not one.is_parked
            and (one.state in _UNDELIVERED or (one.state == "failed" and one.retry_at is None))
        ]  # fmt: skip
        return [
            Undelivered(
                one.digest_id, one.number, one.recipient, one.state, one.cause, one.attempts, one.made_at,
                sum(gathering.events for gathering in self._of(one.digest_id)),
            )
            for one in found[:digests_max]
        ]  # fmt: skip

    async def mark_parked(self, digest_ids: Collection[UUID]) -> None:
        self._mails.fail()
        for digest_id in digest_ids:
            self.rows[digest_id].is_parked = True

    async def claim(
        self, digest_id: UUID, again: Collection[ClaimState], claim_id: UUID
    ) -> tuple[Claim, Digest | None]:
        self._mails.fail()
        self._mark_old_unknown()
        row = self.rows.get(digest_id)
        if row is None:
            return Claim(False, "sent"), None
        if row.state in again or (row.state, row.claim_id) == ("claimed", claim_id):
            row.claim(claim_id, self._mails.now)
            return Claim(True, "claimed"), row.told()
        return Claim(False, row.state, row.cause), None

    async def discard(self, digest_id: UUID) -> None:
        self._mails.fail()
        row = self.rows.get(digest_id)
        if row is not None and row.state != "sent":
            row.state, row.settled_at, row.retry_at = "discarded", self._mails.now, None

    async def gathered(self, recipients: Sequence[str]) -> Gathered:
        self._mails.fail()
        waiting = [
            one for one in self._mails.gatherings
            if one.recipient in recipients
            and (one.digest_id is None or self.rows[one.digest_id].is_on_its_way)
        ]  # fmt: skip
        oldest = min((one.opened_at for one in waiting), default=self._mails.now)
        seconds = (self._mails.now - oldest).total_seconds()
        return Gathered(sum(one.events for one in waiting), seconds)

    async def purge_one(self, days: int) -> bool:
        self._mails.fail()
        before = self._mails.now - timedelta(days=days)
        old = [
            (one.settled_at, one.digest_id) for one in self.rows.values()
            if one.state in ("sent", "discarded") and one.settled_at is not None and one.settled_at < before
        ]  # fmt: skip
        if not old:
            return False
        _, digest_id = min(old)
        gone = self._of(digest_id)
        mails = self._mails
        mails.gatherings = [one for one in mails.gatherings if one not in gone]
        mails.single = {key: mail for key, mail in mails.single.items() if mail.gathering not in gone}
        del self.rows[digest_id]
        return True

    def _make(self, recipient: str, claim_id: UUID) -> None:
        """A digest of all that is due, where one is due and no earlier one is on its way."""
        now, pace = self._mails.now, self._mails.paces[recipient]
        due = [one for one in self._mails.gatherings if one.recipient == recipient and one.digest_id is None]
        due = [one for one in due if one.due_at <= now]
        waits = any(one.is_on_its_way for one in self.rows.values() if one.recipient == recipient)
        if not due or waits or pace.digest_not_before > now:
            return
        row = DigestRow(uuid.uuid4(), next(self._numbers), recipient, now, now, claim_id)
        self.rows[row.digest_id] = row
        for gathering in due:
            gathering.digest_id = row.digest_id
        window, most = timedelta(seconds=self._limits.window_seconds), self._limits.single_mails_max
        pace.digest_not_before = now + window
        bursts = [one.events for one in due if one.import_id == NO_IMPORT]
        if bursts:
            # A closed window that had no more than single mails could have told ends the burst.
            goes_on = pace.single_mails <= most or sum(bursts) > most
            pace.window_ends_at = now + window if goes_on else now
            pace.single_mails = most + 1 if goes_on else pace.single_mails

    def _of(self, digest_id: UUID) -> list[Gathering]:
        return [one for one in self._mails.gatherings if one.digest_id == digest_id]

    def _claimed(self, claim_id: UUID) -> list[DigestRow]:
        return [one for one in self.rows.values() if (one.state, one.claim_id) == ("claimed", claim_id)]

    def _mark_old_unknown(self) -> None:
        for row in self.rows.values():
            if row.state == "claimed" and row.claimed_at <= self._mails.now - self._unknown_after:
                row.state, row.cause, row.settled_at = "unknown", OUTCOME_UNKNOWN, self._mails.now


def _sort(told: Sequence[SingleMail]) -> Sort:
    kinds = {one.kind for one in told}
    if "product-created" in kinds:
        return "new-and-archived" if "product-archived" in kinds else "new"
    return "archived" if "product-archived" in kinds else "cheaper"


def _told(products: Sequence[Sequence[SingleMail]], shown_max: int) -> ToldProducts:
    first = [(told[0].product_id, max(one.log_position for one in told)) for told in products[:shown_max]]
    return ToldProducts(len(products), sum(map(len, products)), first)
