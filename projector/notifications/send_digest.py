"""Sends a digest. It is claimed before it is sent, like every mail, so that nobody gets a second one.

The names of the products that it shows are read from the log, only for these products and as of the
last event in the digest. A product whose history cannot be read is shown without a name: it must not hold up
the digest.
"""

from collections.abc import Collection, Mapping, Sequence
from uuid import UUID, uuid4

from projector.applying.ports import EventLog
from projector.errors import HistoryDoesNotFold
from projector.notifications.digest_ports import Digest, Digests
from projector.notifications.digest_text import Section, ShownProduct, digest_text
from projector.notifications.mail_attempt import attempt, patiently, settlement
from projector.notifications.notify import Done, Hopeless, TryAgain
from projector.notifications.past import documents_after
from projector.notifications.ports import ClaimState, Delivery, Mail, Mailer
from shared.contract.codec import CodecError
from shared.contract.recorded_event import RecordedEvent
from shared.ops.error_text import named
from shared.ops.logs import get_logger
from shared.ops.retry import RetryPolicy
from shared.telemetry import conventions as c
from shared.telemetry.spans import SpanKind
from shared.telemetry.tracing import trace

# Shown of each sort of product, and of imports.
SHOWN_PER_DIGEST_MAX = 10
_log = get_logger(__name__)


class DigestSender:
    """`retry_seconds`: how long until the attempt after the first, the second, and so on.

    `patience`: the retries of PostgreSQL.
    """

    def __init__(
        self,
        digests: Digests,
        mailer: Mailer,
        log: EventLog,
        *,
        read_url: str,
        retry_seconds: Sequence[float],
        patience: RetryPolicy,
    ) -> None:
        self._digests = digests
        self._mailer = mailer
        self._log = log
        self._read_url = read_url
        self._retry_seconds = retry_seconds
        self._patience = patience

    async def send(self, digest: Digest, claim_id: UUID) -> None:
        """Send a claimed digest. Raises `Unavailable` if its outcome could not be stored."""
        waits = self._retry_seconds[digest.attempts - 1 : digest.attempts]
        with trace(c.SEND_DIGEST, SpanKind.INTERNAL, attributes={c.DIGEST_ID: str(digest.digest_id)}):
            await self._send(digest, claim_id, waits[0] if waits else None)

    async def send_by_hand(
        self, digest_id: UUID, again: Collection[ClaimState]
    ) -> Done | TryAgain | Hopeless:
        """Send a digest for an operator, if its state is in `again`. Raises `Unavailable`."""
        claim_id = uuid4()
        claim, digest = await patiently(
            self._patience, lambda: self._digests.claim(digest_id, again, claim_id)
        )
        if digest is not None:
            state, said = await self._send(digest, claim_id, None)
            cause = f"{digest.recipient}: {said}"
        else:
            state, cause = claim.state, claim.cause or ""
        match state:
            case "sent":
                return Done(int(digest is not None))
            case "discarded":
                return Done(0)
            case "refused":
                return Hopeless("mail-refused", cause)
            case "unknown":
                return Hopeless("mail-outcome-unknown", cause)
            case _:
                return TryAgain(cause or "another process has claimed it and may be sending it now")

    async def _send(
        self, digest: Digest, claim_id: UUID, retry_seconds: float | None
    ) -> tuple[ClaimState, str | None]:
        """(its new state, the cause if it was not sent); discarded: it has no events."""
        try:
            mail = await patiently(self._patience, lambda: self._mail(digest))
        except Exception as error:
            # The mail server has not been contacted yet.
            _log.exception("a digest cannot be made", digest_id=str(digest.digest_id))
            delivery = Delivery("not-sent", named(error))
        else:
            if mail is None:
                await self._settle(digest, claim_id, "discarded", "it has no events")
                return "discarded", None
            delivery = await attempt(self._mailer, mail)
        state, cause = settlement("digest", delivery)
        # With retries: if this is not stored, the outcome of a digest that was sent becomes unknown.
        await self._settle(digest, claim_id, state, cause, retry_seconds if state == "failed" else None)
        _log.info(
            "digest attempted",
            digest_id=str(digest.digest_id),
            result=delivery.outcome,
            attempt=digest.attempts,
            cause=cause,
        )
        return state, cause

    async def _settle(
        self,
        digest: Digest,
        claim_id: UUID,
        state: ClaimState,
        cause: str | None,
        retry_seconds: float | None = None,
    ) -> None:
        await patiently(
            self._patience,
            lambda: self._digests.settle(digest.digest_id, claim_id, state, cause, retry_seconds),
        )

    async def _mail(self, digest: Digest) -> Mail | None:
        """The same digest always gives the same mail; None: it is empty. Raises `Unavailable`."""
        contents = await self._digests.contents(digest.digest_id, SHOWN_PER_DIGEST_MAX)
        if not contents.sorts:
            return None
        names = await self._names(
            {product_id: at for one in contents.sorts.values() for product_id, at in one.first}
        )
        sections = [
            Section(sort, part.products, [ShownProduct(one, names.get(one)) for one, _ in part.first])
            for sort, part in contents.sorts.items()
        ]
        events = contents.events
        text = digest_text(sections, events, contents.import_ids, contents.imports, self._read_url)
        return Mail(digest.digest_id, digest.recipient, text.subject, text.body, digest.made_at, events)

    async def _names(self, positions: Mapping[UUID, int]) -> dict[UUID, str]:
        stored = await self._log.events_after(dict.fromkeys(positions, 0))
        found = {}
        for product_id, position in positions.items():
            past = [one for one in stored.get(product_id, []) if one.log_position <= position]
            name = _name(past)
            if name is not None:
                found[product_id] = name
        return found


def _name(past: Sequence[RecordedEvent]) -> str | None:
    """The product's last name; None: its history cannot be read."""
    name = None
    try:
        for _, product in documents_after(past):
            name = product.name if product is not None else name
    except (CodecError, ArithmeticError, HistoryDoesNotFold):
        return None
    return name
