"""Mails in memory: who may send which, what gathers for digests, and a clock that a test moves."""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from projector.errors import ProjectorError
from projector.notifications.pace import NO_IMPORT, Pace, PaceLimits, Telling, plan
from projector.notifications.ports import Claim, ClaimState, Wanted
from projector.notifications.postgres.claims import OUTCOME_UNKNOWN
from projector.notifications.text import Kind
from tests.unit.projector.histories import START

_EPOCH = datetime.fromtimestamp(0, START.tzinfo)


@dataclass
class SingleMail:
    """One event to one recipient, whichever way it is told."""

    kind: Kind
    product_id: UUID
    state: ClaimState
    claim_id: UUID | None = None
    claimed_at: datetime = _EPOCH
    cause: str | None = None
    gathering: "Gathering | None" = None
    log_position: int = 0


@dataclass(eq=False)
class Gathering:
    """What waits for a digest; `digest_id` None: it is open."""

    recipient: str
    import_id: str
    opened_at: datetime
    due_at: datetime
    events: int = 0
    digest_id: UUID | None = None


@dataclass
class PaceRow:
    """Of one recipient."""

    window_ends_at: datetime = _EPOCH
    single_mails: int = 0
    digest_not_before: datetime = _EPOCH


@dataclass
class InMemoryMails:
    """What all processes share; `failure`, where set, is raised by everything."""

    now: datetime = START
    failure: ProjectorError | None = None
    single: dict[tuple[UUID, str], SingleMail] = field(default_factory=dict)
    paces: defaultdict[str, PaceRow] = field(default_factory=lambda: defaultdict(PaceRow))
    gatherings: list[Gathering] = field(default_factory=list)

    def fail(self) -> None:
        """Raises what is set."""
        if self.failure is not None:
            raise self.failure

    def open_gathering(self, recipient: str, import_id: str) -> Gathering | None:
        """The one that events are added to."""
        for one in self.gatherings:
            if (one.recipient, one.import_id, one.digest_id) == (recipient, import_id, None):
                return one
        return None


class InMemoryClaims:
    """Implements `ports.Claims`. A claim older than `unknown_after_seconds` has an unknown outcome."""

    def __init__(self, mails: InMemoryMails, *, unknown_after_seconds: float) -> None:
        self._mails = mails
        self._unknown_after = timedelta(seconds=unknown_after_seconds)

    async def claim(self, wanted: Wanted, again: Collection[ClaimState], claim_id: UUID) -> Claim:
        mails = self._mails
        mails.fail()
        new = SingleMail(wanted.kind, wanted.product_id, "planned")
        mail = mails.single.setdefault((wanted.event_id, wanted.recipient), new)
        is_mine = mail.claim_id == claim_id
        if not is_mine and mail.state == "claimed" and mail.claimed_at <= mails.now - self._unknown_after:
            mail.state, mail.cause = "unknown", OUTCOME_UNKNOWN
        if mail.state == "planned" or mail.state in again or is_mine:
            mail.state, mail.claim_id, mail.claimed_at, mail.cause = "claimed", claim_id, mails.now, None
            return Claim(True, "claimed")
        return Claim(False, mail.state, mail.cause)

    async def settle(self, wanted: Wanted, claim_id: UUID, state: ClaimState, cause: str | None) -> None:
        self._mails.fail()
        mail = self._mails.single.get((wanted.event_id, wanted.recipient))
        if mail is not None and mail.claim_id == claim_id and mail.state in ("claimed", "unknown"):
            mail.state, mail.cause = state, cause

    async def discard(self, event_id: UUID) -> None:
        self._mails.fail()
        for (told_id, _), mail in self._mails.single.items():
            if told_id == event_id and mail.state not in ("sent", "gathered"):
                mail.state = "discarded"


class InMemoryPacing:
    """Implements `notifications.digest_ports.Pacing`."""

    def __init__(self, mails: InMemoryMails, limits: PaceLimits) -> None:
        self._mails = mails
        self._limits = limits

    async def plan(self, tellings: Collection[Telling], recipients: Collection[str]) -> Collection[UUID]:
        self._mails.fail()
        for recipient in recipients:
            self._plan(tellings, recipient)
        return {
            one.event_id for one in tellings
            if all(self._mails.single[one.event_id, each].state == "gathered" for each in recipients)
        }  # fmt: skip

    def _plan(self, tellings: Collection[Telling], recipient: str) -> None:
        mails, row = self._mails, self._mails.paces[recipient]
        new = [one for one in tellings if (one.event_id, recipient) not in mails.single]
        has_burst = mails.open_gathering(recipient, NO_IMPORT) is not None
        planned = plan(Pace(row.window_ends_at, row.single_mails, has_burst), new, mails.now, self._limits)
        row.window_ends_at, row.single_mails = planned.pace.window_ends_at, planned.pace.single_mails
        for telling in planned.singles:
            mails.single[telling.event_id, recipient] = SingleMail(
                telling.kind, telling.product_id, "planned", log_position=telling.log_position
            )
        for import_id, gathered in planned.gathered.items():
            gathering = mails.open_gathering(recipient, import_id)
            if gathering is None:
                gathering = Gathering(recipient, import_id, mails.now, planned.due_at[import_id])
                mails.gatherings.append(gathering)
            gathering.events += len(gathered)
            for telling in gathered:
                mails.single[telling.event_id, recipient] = SingleMail(
                    telling.kind, telling.product_id, "gathered", gathering=gathering,
                    log_position=telling.log_position,
                )  # fmt: skip
