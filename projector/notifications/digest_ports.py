"""The ports of digests; `postgres/` implements them."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple, Protocol
from uuid import UUID

from projector.notifications.digest_text import Sort
from projector.notifications.pace import Telling
from projector.notifications.ports import Claim, ClaimState


class Pacing(Protocol):
    """Decides for each event and recipient, for good, between a single mail and a digest."""

    async def plan(self, tellings: Sequence[Telling], recipients: Sequence[str]) -> Collection[UUID]:
        """The ids of events that are in digests for all recipients; safe to repeat. Raises `Unavailable`."""


class Digest(NamedTuple):
    """One mail about many events. `attempts`: including the present one."""

    digest_id: UUID
    recipient: str
    attempts: int
    made_at: datetime


class Undelivered(NamedTuple):
    """A digest that is not tried again and is no dead letter yet."""

    digest_id: UUID
    digest_number: int
    recipient: str
    state: ClaimState
    cause: str | None
    attempts: int
    made_at: datetime
    events: int


class ToldProducts(NamedTuple):
    """The products of one sort: how many, with how many events; id and last position of the first ones."""

    products: int
    events: int
    first: Sequence[tuple[UUID, int]]


class Contents(NamedTuple):
    """The contents of a digest; `import_ids` lists the first of `imports`."""

    sorts: Mapping[Sort, ToldProducts]
    import_ids: Sequence[str]
    imports: int

    @property
    def events(self) -> int:
        """The events of all sorts."""
        return sum(one.events for one in self.sorts.values())


class Open(NamedTuple):
    """`waits`: events wait for a digest, or a digest is neither sent nor given up nor a dead letter; if not,
    there is nothing to count. `is_due`: if not, there is nothing to take and nothing undelivered.
    """

    waits: bool
    is_due: bool


class Gathered(NamedTuple):
    """Events that wait for a digest, or for another attempt to send it."""

    events: int
    oldest_seconds: float


NOTHING_GATHERED = Gathered(0, 0.0)


class Digests(Protocol):
    """The digests, and who may send them: one sender at a time. Raises `Unavailable`."""

    async def open(self) -> Open:
        """What is open for any recipient."""

    async def take(self, recipients: Sequence[str], claim_id: UUID, digests_max: int) -> Sequence[Digest]:
        """Claims the digests that are due, also for another attempt; committed when this returns.

        The same `claim_id` asks again after a lost answer.
        """

    async def contents(self, digest_id: UUID, shown_max: int) -> Contents:
        """At most `shown_max` products of each sort, and as many imports."""

    async def settle(
        self,
        digest_id: UUID,
        claim_id: UUID,
        state: ClaimState,
        cause: str | None,
        retry_seconds: float | None = None,
    ) -> None:
        """Stores the outcome of a claim; no effect if another process has claimed the digest since."""

    async def undelivered(self, digests_max: int) -> Sequence[Undelivered]:
        """The oldest ones; an old claim that was never settled becomes `unknown` first."""

    async def mark_parked(self, digest_ids: Collection[UUID]) -> None:
        """These are dead letters now."""

    async def claim(
        self, digest_id: UUID, again: Collection[ClaimState], claim_id: UUID
    ) -> tuple[Claim, Digest | None]:
        """Claims one digest for an operator, if its state is in `again`; None: it cannot be claimed."""

    async def discard(self, digest_id: UUID) -> None:
        """It is not sent any more, unless it is being sent now."""

    async def gathered(self, recipients: Sequence[str]) -> Gathered:
        """For metrics."""

    async def purge_one(self, days: int) -> bool:
        """Delete the oldest digest that was settled so many days ago; false if there is none."""
