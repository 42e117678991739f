"""Retry and discard of mails that are dead letters.

No transaction is open while a mail is sent: the claims keep two operators from sending the same mail, and the
dead letter is deleted afterwards.
"""

from uuid import UUID

from projector.applying.dead_letters import Action, OpenParking, StoredDeadLetter
from projector.applying.ports import EventLog
from projector.applying.records import ErrorClass, Unreadable
from projector.errors import CannotGoOn
from projector.notifications.digest_loop import DIGEST_DEAD_LETTERS, DIGEST_ID_HEADER
from projector.notifications.digest_ports import Digests
from projector.notifications.notify import (
    BY_HAND,
    BY_HAND_AND_UNKNOWN,
    Done,
    Hopeless,
    Lacking,
    Notifier,
    TryAgain,
    Verdict,
)
from projector.notifications.ports import Claims
from projector.notifications.send_digest import DigestSender
from projector.parking.retry import ReadRecord, Released
from projector.parking.retry_spans import link_dead_letters
from shared.telemetry.spans import present_span

_ASK = "use --resend-unknown to send it again, or discard it"


class NotificationRetries:
    """`Retrying` for mails. `senders` None: without a mail server they can only be discarded."""

    def __init__(
        self,
        senders: tuple[Notifier, DigestSender] | None,
        claims: Claims,
        digests: Digests,
        open_parking: OpenParking,
        log: EventLog,
        read_record: ReadRecord,
    ) -> None:
        self._senders = senders
        self._claims = claims
        self._digests = digests
        self._open_parking = open_parking
        self._log = log
        self._read_record = read_record

    async def retry(self, product_id: UUID, action: Action, *, from_log: bool = False) -> Released:
        """Does nothing: mails need no order, so none is parked with its product."""
        return Released(0, 0)

    async def discard(self, product_id: UUID, action: Action, *, events: int | None = None) -> Released:
        """Does nothing, for the same reason."""
        return Released(0, 0)

    async def retry_single(
        self, dead_letter_id: int, action: Action, *, resend_unknown: bool = False
    ) -> Released:
        """Send the unsent mails of this event or digest. Raises `Unavailable`, `CannotGoOn`.

        `resend_unknown`: also mails that may have been sent already.
        """
        if self._senders is None:
            raise CannotGoOn("there is no mail server: set SMTP_URL and NOTIFICATION_RECIPIENTS")
        parked = await self._parked(dead_letter_id)
        if parked is None:
            return Released(0, 0)
        link_dead_letters(present_span(), [parked])
        notifier, sender = self._senders
        again = BY_HAND_AND_UNKNOWN if resend_unknown else BY_HAND
        verdict: Verdict
        digest_id = _digest_of(parked)
        if digest_id is not None:
            verdict = await sender.send_by_hand(digest_id, again)
        else:
            read = self._read_record(parked, await self._log.log_id())
            if isinstance(read, Unreadable):
                return Released(0, 1, read.cause)
            verdict = await notifier.notify(read.event, again=again)
        match verdict:
            case Done():
                return await self._release(dead_letter_id, action)
            case Hopeless(error_class="mail-outcome-unknown", cause=cause):
                return await self._failed(dead_letter_id, "mail-outcome-unknown", f"{cause}; {_ASK}")
            case Hopeless(error_class, cause):
                return await self._failed(dead_letter_id, error_class, cause)
            case TryAgain(cause):
                return await self._failed(dead_letter_id, "mail-not-sent", cause)
            case Lacking(cause):
                return Released(0, 1, cause)
        raise AssertionError("its time was never up")

    async def discard_single(self, dead_letter_id: int, action: Action) -> Released:
        """Give it up: no mail about this event, or not this digest, is sent any more."""
        parked = await self._parked(dead_letter_id)
        if parked is None:
            return Released(0, 0)
        digest_id = _digest_of(parked)
        if digest_id is not None:
            await self._digests.discard(digest_id)
            return await self._release(dead_letter_id, action)
        read = self._read_record(parked, await self._log.log_id())
        if not isinstance(read, Unreadable):
            await self._claims.discard(read.event.metadata.event_id)
        return await self._release(dead_letter_id, action)

    async def _parked(self, dead_letter_id: int) -> StoredDeadLetter | None:
        async with self._open_parking() as parking:
            return await parking.parked_one(dead_letter_id)

    async def _release(self, dead_letter_id: int, action: Action) -> Released:
        async with self._open_parking() as parking:
            parked = await parking.parked_one(dead_letter_id)
            if parked is None:
                return Released(0, 0)
            await parking.release([parked], action)
        return Released(1, 0)

    async def _failed(self, dead_letter_id: int, error_class: ErrorClass, cause: str) -> Released:
        async with self._open_parking() as parking:
            await parking.failed_alone(dead_letter_id, error_class, cause)
        return Released(0, 1, cause)


def _digest_of(parked: StoredDeadLetter) -> UUID | None:
    """The digest's id; None: it is a record."""
    if parked.topic != DIGEST_DEAD_LETTERS:
        return None
    return UUID((dict(parked.headers)[DIGEST_ID_HEADER] or b"").decode())
