"""What digests need from outside; `postgres/` provides it."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple, Protocol
from uuid import UUID

from projector.notifications.digest_text import Sort
from projector.notifications.pace import Telling
from projector.notifications.ports import Claim, ClaimState


class Pacing(Protocol):
    """Decides for each event and recipient, once and for all, between a single mail and a digest."""

    async def plan(self, tellings: Sequence[Telling], recipients: Sequence[str]) -> Collection[UUID]:
        """The ids of the events that digests tell to everybody; safe to do again. Raises `Unavailable`."""


class Digest(NamedTuple):
    """One mail that tells of many events. `attempts`: with the one that is being made."""

    digest_id: UUID
    recipient: str
    attempts: int
    made_at: datetime


class Undelivered(NamedTuple):
    """A digest that will not go out by itself, and that no person knows of yet."""

    digest_id: UUID
    digest_number: int
    recipient: str
    state: ClaimState
    cause: str | None
    attempts: int
    made_at: datetime
    events: int


class ToldProducts(NamedTuple):
    """The products of one sort: how many, of how many events, and of the first ones id and last position."""

    products: int
    events: int
    first: Sequence[tuple[UUID, int]]


class Contents(NamedTuple):
    """What a digest tells; `imports` counts what `import_ids` begins to list."""

    sorts: Mapping[Sort, ToldProducts]
    import_ids: Sequence[str]
    imports: int

    @property
    def events(self) -> int:
        """Of all sorts."""
        return sum(one.events for one in self.sorts.values())


class Gathered(NamedTuple):
    """What waits for a digest, or for another attempt at one."""

    events: int
    oldest_seconds: float


class Digests(Protocol):
    """Which digests there are, and who may send them: at most one at a time. Raises `Unavailable`."""

    async def take(self, recipients: Sequence[str], claim_id: UUID, digests_max: int) -> Sequence[Digest]:
        """Ours, for certain, before this returns: what is due, and what is to be tried again.

        The same `claim_id` asks once more after an answer that was lost.
        """

    async def contents(self, digest_id: UUID, shown_max: int) -> Contents:
        """Of each sort, and of the imports, so many at most."""

    async def settle(
        self,
        digest_id: UUID,
        claim_id: UUID,
        state: ClaimState,
        cause: str | None,
        retry_seconds: float | None = None,
    ) -> None:
        """What became of a claim; nothing where somebody else has claimed it since."""

    async def undelivered(self, digests_max: int) -> Sequence[Undelivered]:
        """The oldest; a claim that is older than any sending takes has become `unknown`."""

    async def mark_parked(self, digest_ids: Collection[UUID]) -> None:
        """A person will know of these."""

    async def claim(
        self, digest_id: UUID, again: Collection[ClaimState], claim_id: UUID
    ) -> tuple[Claim, Digest | None]:
        """By hand, where its state is among `again`; the digest where it is ours."""

    async def discard(self, digest_id: UUID) -> None:
        """It is never sent any more, unless it is on its way."""

    async def gathered(self, recipients: Sequence[str]) -> Gathered:
        """For measuring."""

    async def purge_one(self, days: int) -> bool:
        """Forget the oldest digest that was settled so long ago; false where there is none."""
