"""What notifying needs from outside; `postgres/`, `smtp/` and `kafka/` provide it."""

from collections.abc import Collection
from datetime import datetime
from typing import Literal, NamedTuple, Protocol
from uuid import UUID

from projector.notifications.text import Kind

ClaimState = Literal["planned", "gathered", "claimed", "sent", "failed", "refused", "unknown", "discarded"]
"""planned: a single mail that nobody has claimed yet. gathered: a digest tells of it, no single mail.
claimed: someone sends it now. failed: certainly not sent, may be claimed again. refused: neither.
unknown: may have been sent. discarded: an operator gave it up."""


class Mail(NamedTuple):
    """One mail to one recipient; `about_id` makes its Message-ID: a second one is known as the same.

    `about_id` is the event's; of a digest its own, and `event_count` says how many events it tells of.
    """

    about_id: UUID
    recipient: str
    subject: str
    body: str
    happened_at: datetime
    event_count: int | None = None


class Delivery(NamedTuple):
    """What became of a mail, and how that is known.

    `unreachable`: certainly not sent, and no other mail would be now. `not-sent`: certainly not sent, may be
    tried again. `refused`: certainly not sent, and the server will always say so. `unknown`: the server had
    the whole mail when it fell silent.
    """

    outcome: Literal["sent", "unreachable", "not-sent", "refused", "unknown"]
    cause: str


class Mailer(Protocol):
    """Speaks to the mail server."""

    async def send(self, mail: Mail) -> Delivery:
        """Bounded in time; never raises for what the server or the network does."""


class Claim(NamedTuple):
    """Not `is_ours`: it is not ours to send, because of `state`."""

    is_ours: bool
    state: ClaimState
    cause: str | None = None


class Wanted(NamedTuple):
    """Which mail."""

    event_id: UUID
    recipient: str
    kind: Kind
    product_id: UUID


class Claims(Protocol):
    """Who may send which mail: at most one at a time, and none after it was sent. Raises `Unavailable`."""

    async def claim(self, wanted: Wanted, again: Collection[ClaimState], claim_id: UUID) -> Claim:
        """Ours, for certain, before this returns: a new mail, or one whose state is among `again`.

        One that was claimed longer ago than any sending takes becomes `unknown` first. The same `claim_id`
        asks once more after an answer that was lost.
        """

    async def settle(self, wanted: Wanted, claim_id: UUID, state: ClaimState, cause: str | None) -> None:
        """What became of a claim; nothing where somebody else has claimed it since."""

    async def discard(self, event_id: UUID) -> None:
        """No mail of this event is ever sent any more, but for one that is on its way."""
