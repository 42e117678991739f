"""A mail server in memory that takes mails, or fails as it is told to."""

import asyncio
from collections import deque

from projector.notifications.ports import Delivery, Mail

TAKEN = Delivery("sent", "250 taken")


class InMemoryMailer:
    """Implements `notifications.ports.Mailer`; `taken` is what the server has, whatever it said."""

    def __init__(self) -> None:
        self.taken: list[Mail] = []
        self.attempts = 0
        self._always = TAKEN
        self._next: deque[Delivery] = deque()

    def behave(self, outcome: Delivery) -> None:
        """From now on."""
        self._next.clear()
        self._always = outcome

    def then(self, *outcomes: Delivery) -> None:
        """The next attempts, one each."""
        self._next.extend(outcomes)

    async def send(self, mail: Mail) -> Delivery:
        self.attempts += 1
        await asyncio.sleep(0)  # others get their turn while it is on its way
        delivery = self._next.popleft() if self._next else self._always
        if delivery.outcome in ("sent", "unknown"):
            self.taken.append(mail)
        return delivery
