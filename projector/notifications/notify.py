"""Sends the mails about an event. Each is claimed before it is sent, so that nobody gets a second one.

A mail cannot be rolled back, and mail servers have no idempotency keys. So the claim is committed first;
another process that finds it does not send. A mail that was not sent for certain may be claimed again; one
that may have been sent is never sent again by itself, and becomes a dead letter.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple
from uuid import uuid4

from projector.applying.ports import EventLog
from projector.applying.records import ErrorClass
from projector.errors import HistoryDoesNotFold, ProjectorError, Unavailable
from projector.notifications.mail_attempt import attempt, patiently, settlement
from projector.notifications.past import documents_after
from projector.notifications.ports import Claim, Claims, ClaimState, Delivery, Mail, Mailer, Wanted
from projector.notifications.text import EVENT_TYPES, Kind, MailText, kind_of, mail_text
from shared.contract.codec import CodecError, UnknownSchemaVersion, decode_event
from shared.contract.recorded_event import RecordedEvent
from shared.ops.error_text import named
from shared.ops.metrics.mails import MAILS
from shared.ops.retry import RetryPolicy
from shared.telemetry import conventions as c
from shared.telemetry.batches import event_span
from shared.telemetry.spans import SpanKind

AUTOMATIC: frozenset[ClaimState] = frozenset({"failed"})
BY_HAND: frozenset[ClaimState] = frozenset({"failed", "refused"})
BY_HAND_AND_UNKNOWN: frozenset[ClaimState] = frozenset({"failed", "refused", "unknown"})


class Done(NamedTuple):
    """All mails were sent, or none is needed; `mails` were sent now."""

    mails: int


class Unfinished(NamedTuple):
    """The batch ran out of time; some recipients are left."""


class TryAgain(NamedTuple):
    """Not sent to all recipients, for certain; another attempt may succeed."""

    cause: str


class Hopeless(NamedTuple):
    """Another attempt does not help: the record is parked."""

    error_class: ErrorClass
    cause: str


class Lacking(NamedTuple):
    """The log does not have the event, so it never happened, and no mail is sent."""

    cause: str


Verdict = Done | Unfinished | TryAgain | Hopeless | Lacking


class Notifier:
    """For the recipients of one installation. `patience`: the retries of PostgreSQL after a mail was sent."""

    def __init__(
        self,
        claims: Claims,
        mailer: Mailer,
        log: EventLog,
        recipients: Sequence[str],
        *,
        read_url: str,
        patience: RetryPolicy,
    ) -> None:
        self._claims = claims
        self._mailer = mailer
        self._log = log
        self._recipients = recipients
        self._read_url = read_url
        self._patience = patience

    async def notify(
        self,
        event: RecordedEvent,
        *,
        again: frozenset[ClaimState] = AUTOMATIC,
        is_time_up: Callable[[], bool] = lambda: False,
    ) -> Verdict:
        """Sends one event to all recipients who do not have it yet; safe to repeat. Raises `Unavailable`."""
        if event.event_type not in EVENT_TYPES:
            return Done(0)
        with event_span(c.NOTIFY, SpanKind.CONSUMER, event):
            return await self._notify(event, again, is_time_up)

    async def _notify(
        self, event: RecordedEvent, again: frozenset[ClaimState], is_time_up: Callable[[], bool]
    ) -> Verdict:
        try:
            kind = kind_of(decode_event(event.event_type, event.schema_version, event.data))
            if kind is None:
                return Done(0)
            past = await self._past(event) if kind != "product-created" else [event]
            if not past or past[-1].metadata.event_id != event.metadata.event_id:
                return Lacking(f"the log lacks version {event.stream_version} of product {event.product_id}")
            text = _text(kind, past, self._read_url)
        except ProjectorError:
            raise
        except UnknownSchemaVersion as error:
            return Hopeless("unknown-schema-version", str(error))
        except (CodecError, ArithmeticError) as error:
            return Hopeless("undecodable", named(error))
        except HistoryDoesNotFold as error:
            return Hopeless("history-does-not-fold", str(error))
        return await self._tell_all(event, text, again, is_time_up)

    async def _tell_all(
        self,
        event: RecordedEvent,
        text: MailText,
        again: frozenset[ClaimState],
        is_time_up: Callable[[], bool],
    ) -> Verdict:
        deliveries: dict[str, Delivery] = {}
        for recipient in self._recipients:
            if deliveries and is_time_up():
                return Unfinished()
            delivery = await self._tell(event, text, recipient, again)
            if delivery is not None:
                deliveries[recipient] = delivery
                if delivery.outcome == "unreachable":
                    # The other recipients would only wait for the same time-out.
                    break
        return _verdict(deliveries)

    async def _tell(
        self, event: RecordedEvent, text: MailText, recipient: str, again: frozenset[ClaimState]
    ) -> Delivery | None:
        """None: it was sent or discarded before."""
        event_id = event.metadata.event_id
        wanted = Wanted(event_id, recipient, text.kind, event.product_id)
        claim_id = uuid4()
        claim = await patiently(self._patience, lambda: self._claims.claim(wanted, again, claim_id))
        if not claim.is_ours:
            return _found(text.kind, claim)
        mail = Mail(event_id, recipient, text.subject, text.body, event.recorded_at)
        delivery = await attempt(self._mailer, mail)
        state, cause = settlement(text.kind, delivery)
        # With retries: if this is not stored, the outcome of a mail that was sent becomes unknown.
        await patiently(self._patience, lambda: self._claims.settle(wanted, claim_id, state, cause))
        return delivery

    async def _past(self, event: RecordedEvent) -> list[RecordedEvent]:
        """The product's events up to this one: the event itself has no name, and the views may be behind."""
        newest = await self._log.newest_position()
        if newest < event.log_position:
            raise Unavailable(f"the log's replica is at {newest}, Kafka at {event.log_position}")
        stored = (await self._log.events_after({event.product_id: 0})).get(event.product_id, [])
        return [one for one in stored if one.stream_version <= event.stream_version]


def _text(kind: Kind, past: Sequence[RecordedEvent], read_url: str) -> MailText:
    """The text about the last event, with the product right after it."""
    *_, (event, product) = documents_after(past)
    if product is None:
        raise HistoryDoesNotFold(f"there is no product after {past[-1].event_type}")
    return mail_text(kind, event, product, read_url)


def _found(kind: Kind, claim: Claim) -> Delivery | None:
    """The outcome of a mail that another claim has."""
    match claim.state:
        case "sent" | "discarded" | "gathered":
            MAILS.labels(kind, f"already {claim.state}").inc()
            return None
        case "refused" | "unknown":
            MAILS.labels(kind, f"already {claim.state}").inc()
            return Delivery(claim.state, claim.cause or "")
        case _:
            MAILS.labels(kind, "busy").inc()
            return Delivery("not-sent", "another process has claimed it and may be sending it now")


def _verdict(deliveries: Mapping[str, Delivery]) -> Verdict:
    """Mails that may still succeed are tried first; then the rest becomes one dead letter."""
    by_outcome: dict[str, list[str]] = {}
    for recipient, delivery in deliveries.items():
        by_outcome.setdefault(delivery.outcome, []).append(f"{recipient}: {delivery.cause}")
    failed = by_outcome.get("unreachable", []) + by_outcome.get("not-sent", [])
    if failed:
        return TryAgain("; ".join(failed))
    unknown, refused = by_outcome.get("unknown", []), by_outcome.get("refused", [])
    if unknown:
        return Hopeless("mail-outcome-unknown", "; ".join([*unknown, *refused]))
    if refused:
        return Hopeless("mail-refused", "; ".join(refused))
    return Done(len(deliveries))
