"""Compares the cache with what was written to it while no event arrives."""

import asyncio
from collections.abc import Sequence

from projector.control.ports import Control, PartitionLag
from projector.control.trouble import Trouble
from projector.errors import Unavailable
from projector.views.product_cache.redis.checkpoints import CacheCheckpoints

_SECONDS = 1.0


class CacheWatch:
    """A `Background`, about once a second."""

    topic = "checkpoints in Redis"

    def __init__(self, name: str, checkpoints: CacheCheckpoints) -> None:
        self.name = name
        self._checkpoints = checkpoints
        self._trouble = Trouble(name, "nobody notices if Redis loses writes")

    async def run(self) -> None:
        """Until cancelled. The batches and readiness tell of a server that is away."""
        while True:
            try:
                await self._checkpoints.compare()
            except Unavailable:
                pass
            except Exception as error:
                self._trouble.tell(error)
            else:
                self._trouble.tell(None)
            await asyncio.sleep(_SECONDS)

    async def check(self) -> None:
        """Raises `Unavailable` or `OnlyAnOperatorHelps`."""
        self._trouble.check()

    def obey(self, control: Control) -> None:
        """A paused cache can lose data, too."""

    def lags(self) -> Sequence[PartitionLag]:
        """None."""
        return ()
