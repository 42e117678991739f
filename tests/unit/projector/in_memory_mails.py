"""What the suites of mails ask for, over mails in memory."""

from collections.abc import Mapping
from datetime import timedelta
from uuid import UUID

from projector.notifications.pace import PaceLimits
from tests.in_memory.digests import InMemoryDigests
from tests.in_memory.mails import InMemoryClaims, InMemoryMails, InMemoryPacing
from tests.unit.projector.mail_suites import LIMITS, UNKNOWN_AFTER_SECONDS


class InMemoryMailStores:
    """Implements `mail_suites.MailStores`."""

    def __init__(self, limits: PaceLimits = LIMITS) -> None:
        self.mails = InMemoryMails()
        self._limits = limits
        self._digests = InMemoryDigests(self.mails, limits, unknown_after_seconds=UNKNOWN_AFTER_SECONDS)

    def claims(self) -> InMemoryClaims:
        return InMemoryClaims(self.mails, unknown_after_seconds=UNKNOWN_AFTER_SECONDS)

    def pacing(self) -> InMemoryPacing:
        return InMemoryPacing(self.mails, self._limits)

    def digests(self) -> InMemoryDigests:
        return self._digests

    async def pass_time(self, seconds: float) -> None:
        self.mails.now += timedelta(seconds=seconds)

    async def states(self) -> Mapping[tuple[UUID, str], str]:
        return {key: mail.state for key, mail in self.mails.single.items()}
