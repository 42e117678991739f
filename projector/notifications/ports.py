"""The ports of notifications; `postgres/`, `smtp/` and `kafka/` implement them."""

from collections.abc import Collection
from datetime import datetime
from typing import Literal, NamedTuple, Protocol
from uuid import UUID

from projector.notifications.text import Kind

ClaimState = Literal["planned", "gathered", "claimed", "sent", "failed", "refused", "unknown", "discarded"]
"""planned: a single mail that is not claimed yet. gathered: the event is in a digest, not in a single mail.
claimed: a process sends it now. failed: not sent for certain, may be claimed again. refused: not sent for
certain, not claimed again.
unknown: perhaps sent. discarded: an operator gave it up."""


class Mail(NamedTuple):
    """One mail to one recipient. `about_id` makes its Message-ID, so a second copy is recognised.

    `about_id` is the event's id, or the digest's. `event_count`: the number of events in a digest.
    """

    about_id: UUID
    recipient: str
    subject: str
    body: str
    happened_at: datetime
    event_count: int | None = None


class Delivery(NamedTuple):
    """The outcome of an attempt, and its cause.

    `unreachable`: not sent for certain, and no other mail can be sent now. `not-sent`: not sent for certain,
    may be tried again. `refused`: not sent for certain, and the server will always refuse it. `unknown`: the
    server had the whole mail and did not answer.
    """

    outcome: Literal["sent", "unreachable", "not-sent", "refused", "unknown"]
    cause: str


class Mailer(Protocol):
    """Sends mails to the mail server."""

    async def send(self, mail: Mail) -> Delivery:
        """Limited in time; never raises for errors of the server or the network."""


class Claim(NamedTuple):
    """`is_ours` False: this process must not send it, because of `state`."""

    is_ours: bool
    state: ClaimState
    cause: str | None = None


class Wanted(NamedTuple):
    """The mail to claim."""

    event_id: UUID
    recipient: str
    kind: Kind
    product_id: UUID


class Claims(Protocol):
    """Reserves mails for senders: one sender at a time, and none after it was sent. Raises `Unavailable`."""

    async def claim(self, wanted: Wanted, again: Collection[ClaimState], claim_id: UUID) -> Claim:
        """Claims a new mail, or one whose state is in `again`; the claim is committed when this returns.

        An old claim that was never settled becomes `unknown` first. The same `claim_id`
        asks again after a lost answer.
        """

    async def settle(self, wanted: Wanted, claim_id: UUID, state: ClaimState, cause: str | None) -> None:
        """Stores the outcome of a claim; no effect if another process has claimed the mail since."""

    async def discard(self, event_id: UUID) -> None:
        """No mail about this event is sent any more, except one that is being sent now."""
