"""Tells people of an event by mail: claimed before it is sent, so that nobody gets a second one.

A mail cannot be rolled back and a mail server knows no idempotency key. So the claim is committed first;
whoever finds one that is not theirs keeps away. What was certainly not sent is free to be claimed again; what
may have been sent is never sent again by itself, and ends with a person.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple
from uuid import uuid4

from projector.applying.ports import EventLog
from projector.applying.records import ErrorClass
from projector.errors import HistoryDoesNotFold, ProjectorError, Unavailable
from projector.notifications.mail_attempt import MAILS, attempt, patiently, settlement
from projector.notifications.past import documents_after
from projector.notifications.ports import Claim, Claims, ClaimState, Delivery, Mail, Mailer, Wanted
from projector.notifications.text import EVENT_TYPES, Kind, MailText, kind_of, mail_text
from shared.contract.codec import CodecError, UnknownSchemaVersion, decode_event
from shared.contract.recorded_event import RecordedEvent
from shared.ops.retry import RetryPolicy

AUTOMATIC: frozenset[ClaimState] = frozenset({"failed"})
BY_HAND: frozenset[ClaimState] = frozenset({"failed", "refused"})
BY_HAND_AND_UNKNOWN: frozenset[ClaimState] = frozenset({"failed", "refused", "unknown"})


class Done(NamedTuple):
    """Everybody knows, or nobody is to; `mails` were sent now."""

    mails: int


class Unfinished(NamedTuple):
    """Time was up; some recipients are left."""


class TryAgain(NamedTuple):
    """Certainly not sent to everybody; it may work later."""

    cause: str


class Hopeless(NamedTuple):
    """For a person to decide."""

    error_class: ErrorClass
    cause: str


class Lacking(NamedTuple):
    """The log has no such event: nobody is told of what never happened."""

    cause: str


Verdict = Done | Unfinished | TryAgain | Hopeless | Lacking


class Notifier:
    """For the recipients of one installation. `patience` is for PostgreSQL, after a mail was sent."""

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
        """One event to everybody who does not know of it yet; safe to do again. Raises `Unavailable`."""
        if event.event_type not in EVENT_TYPES:
            return Done(0)
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
            return Hopeless("undecodable", f"{type(error).__name__}: {error}")
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
        told: dict[str, Delivery] = {}
        for recipient in self._recipients:
            if told and is_time_up():
                return Unfinished()
            delivery = await self._tell(event, text, recipient, again)
            if delivery is not None:
                told[recipient] = delivery
                if delivery.outcome == "unreachable":
                    # The others would only wait for the same time-out.
                    break
        return _verdict(told)

    async def _tell(
        self, event: RecordedEvent, text: MailText, recipient: str, again: frozenset[ClaimState]
    ) -> Delivery | None:
        """None: it was sent, or given up, some time ago."""
        event_id = event.metadata.event_id
        wanted = Wanted(event_id, recipient, text.kind, event.product_id)
        claim_id = uuid4()
        claim = await patiently(self._patience, lambda: self._claims.claim(wanted, again, claim_id))
        if not claim.is_ours:
            return _found(text.kind, claim)
        mail = Mail(event_id, recipient, text.subject, text.body, event.recorded_at)
        delivery = await attempt(self._mailer, mail)
        state, cause = settlement(text.kind, delivery)
        # With patience: forgotten, a mail that was sent becomes one of which nobody knows.
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
    """Of the last event, with the product as it was right after it."""
    *_, (event, product) = documents_after(past)
    if product is None:
        raise HistoryDoesNotFold(f"there is no product after {past[-1].event_type}")
    return mail_text(kind, event, product, read_url)


def _found(kind: Kind, claim: Claim) -> Delivery | None:
    """What a claim that is not ours says of the mail."""
    match claim.state:
        case "sent" | "discarded" | "gathered":
            MAILS.labels(kind, f"already {claim.state}").inc()
            return None
        case "refused" | "unknown":
            MAILS.labels(kind, f"already {claim.state}").inc()
            return Delivery(claim.state, claim.cause or "")
        case _:
            MAILS.labels(kind, "busy").inc()
            return Delivery("not-sent", "someone else has claimed it and may be sending it now")


def _verdict(told: Mapping[str, Delivery]) -> Verdict:
    """What may still work is tried first; a person is asked once, about all that is left."""
    by_outcome: dict[str, list[str]] = {}
    for recipient, delivery in told.items():
        by_outcome.setdefault(delivery.outcome, []).append(f"{recipient}: {delivery.cause}")
    failed = by_outcome.get("unreachable", []) + by_outcome.get("not-sent", [])
    if failed:
        return TryAgain("; ".join(failed))
    unknown, refused = by_outcome.get("unknown", []), by_outcome.get("refused", [])
    if unknown:
        return Hopeless("mail-outcome-unknown", "; ".join([*unknown, *refused]))
    if refused:
        return Hopeless("mail-refused", "; ".join(refused))
    return Done(len(told))
