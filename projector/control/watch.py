"""A look once a second at what a projection keeps elsewhere, beside its batches.

Batches notice by themselves that something was lost. While no event arrives, nobody else would.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from projector.control.ports import Control, PartitionLag
from projector.control.trouble import Trouble
from projector.errors import Unavailable
from shared.ops.concurrency.waits import until_turn

_SECONDS = 1.0


class Watch:
    """A `Background`. `look` raises `Unavailable` while the server is away. `effect` is for the log, if it
    fails otherwise: `nobody notices if Redis loses writes`.
    """

    def __init__(self, name: str, topic: str, look: Callable[[], Awaitable[None]], *, effect: str) -> None:
        self.name = name
        self.topic = topic
        self._look = look
        self._trouble = Trouble(name, effect)

    async def run(self) -> None:
        """Until cancelled. The batches and readiness tell of a server that is away."""
        while True:
            try:
                await self._look()
            except Unavailable:
                pass
            except Exception as error:
                self._trouble.tell(error)
            else:
                self._trouble.tell(None)
            await asyncio.sleep(until_turn(_SECONDS))

    async def check(self) -> None:
        """Raises `Unavailable` or `OnlyAnOperatorHelps`."""
        self._trouble.check()

    def obey(self, control: Control) -> None:
        """A paused view can be lost, too."""

    def lags(self) -> Sequence[PartitionLag]:
        """None."""
        return ()
