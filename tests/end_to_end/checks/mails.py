"""Mails: every recipient is notified once of each event for them, and of no others; the table agrees.

An event is reported by a single mail or by a digest (`digests.py`); events of an import only by a digest. A
mail with state `unknown` may have come or not; it must have a dead letter.
"""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import NamedTuple

from tests.end_to_end.checks.history import History, Logged
from tests.end_to_end.checks.parked import NOTIFICATIONS, Parked

DELIVERIES = {"sent": (1,), "unknown": (0, 1), "failed": (0,), "refused": (0,), "planned": (0,)}
"""State of a mail's row -> how often the server may have received it. Other states are not final."""
GATHERED = "gathered"
_SUBJECTS = {
    "product-created": "New product: ", "price-dropped": "Price dropped: ", "product-archived": "Archived: ",
}  # fmt: skip


class Delivered(NamedTuple):
    """A mail that the server has received, whatever it answered."""

    event_id: str
    recipient: str
    subject: str
    text: str


class DeliveredDigest(NamedTuple):
    """A digest that the server has received, whatever it answered."""

    digest_id: str
    recipient: str
    event_count: str
    subject: str
    text: str


class Claim(NamedTuple):
    """A row of `views.notification`, and the digest that its gathering has become."""

    kind: str
    product_id: str
    state: str
    digest_id: str | None = None


class DigestRow(NamedTuple):
    """A row of `views.notification_digest`."""

    recipient: str
    state: str


@dataclass
class Mails:
    """`claims`: by (event id, recipient); `digests`: by id."""

    recipients: Sequence[str]
    delivered: list[Delivered]
    claims: dict[tuple[str, str], Claim]
    digests: dict[str, DigestRow] = field(default_factory=dict)
    delivered_digests: list[DeliveredDigest] = field(default_factory=list)


class Due(NamedTuple):
    """An event of which every recipient is notified, and a line that its mail must have."""

    kind: str
    product_id: str
    fact: str
    is_imported: bool


def problems(history: History, mails: Mails, parked: Sequence[Parked]) -> Iterator[str]:
    """The notifications run since the log's first event."""
    due = {event.metadata["event_id"]: found for event in history.log if (found := _due(event))}
    asked = {one.event_id for one in parked if one.projection == NOTIFICATIONS}
    wanted = {(event_id, recipient) for event_id in due for recipient in mails.recipients}
    times = Counter((one.event_id, one.recipient) for one in mails.delivered)
    for event_id, recipient in sorted({*times, *mails.claims} - wanted):
        number = times[event_id, recipient]
        yield f"mail: {recipient} must not be notified of {event_id}, and has {number} mails about it"
    for mail in mails.delivered:
        if mail.event_id in due:
            yield from _text(mail, due[mail.event_id])
    for event_id, recipient in sorted(wanted):
        claim = mails.claims.get((event_id, recipient))
        where = f"mail: {due[event_id].kind} {event_id} to {recipient}"
        yield from _one(where, claim, times[event_id, recipient], is_asked=event_id in asked)
        if claim is not None and due[event_id].is_imported and claim.state != GATHERED:
            yield f"{where} is from an import, and is a single mail"
        if claim is not None and (claim.kind, claim.product_id) != due[event_id][:2]:
            yield f"{where} is of {due[event_id].product_id}, its row of {claim.kind} {claim.product_id}"


def _one(where: str, claim: Claim | None, times: int, *, is_asked: bool) -> Iterator[str]:
    """`is_asked`: this event has a dead letter for mails that were not sent."""
    if times > 1:
        yield f"{where} has come {times} times"
    if claim is None:
        if times or not is_asked:
            yield f"{where} has no row, and has come {times} times"
        return
    if claim.state == GATHERED:
        if times:
            yield f"{where} is gathered, and has come {times} times"
        if claim.digest_id is None:
            yield f"{where} is gathered, and is in no digest"
        return
    if times not in DELIVERIES.get(claim.state, ()):
        yield f"{where} is {claim.state}, and has come {times} times"
    if claim.state != "sent" and not is_asked:
        yield f"{where} is {claim.state}, and has no dead letter"


def _due(event: Logged) -> Due | None:
    """Creation, a lower price in the same currency, archiving; there is no mail about other events."""
    kind, fact = event.event_type, f"/v1/products/{event.product_id}"
    if kind == "product-price-changed":
        price, before = (json.loads(event.data)[name] for name in ("price", "previous_price"))
        if price["currency"] != before["currency"] or _amount(price) >= _amount(before):
            return None
        money = [f"{one['amount']} {one['currency']}" for one in (price, before)]
        kind, fact = "price-dropped", f"{money[0]}, before {money[1]}"
    is_imported = event.metadata.get("import_id") is not None
    return Due(kind, event.product_id, fact, is_imported) if kind in _SUBJECTS else None


def _amount(money: Mapping[str, str]) -> Decimal:
    return Decimal(money["amount"])


def _text(mail: Delivered, due: Due) -> Iterator[str]:
    if not mail.subject.startswith(_SUBJECTS[due.kind]) or due.fact not in mail.text:
        yield f"mail: {due.kind} {mail.event_id} is about {due.fact}, and says {mail.subject!r} {mail.text!r}"
