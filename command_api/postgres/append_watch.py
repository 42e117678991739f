"""Looks once at an append call that takes long. Its span then says what it waited for: a lock and its holder,
the disk, or nothing. Afterwards nobody could tell.
"""

import asyncio
from collections.abc import Awaitable, Callable

LOOK_AFTER_SECONDS = 0.2
"""Long for a call, and soon enough to see what it waits for."""
Ask = Callable[[], Awaitable[str]]
"""Tells what the call waits for now, in words. Never raises."""


class AppendWatch:
    """One call. `ask` is called if the call takes longer than `after_seconds`."""

    def __init__(self, ask: Ask, after_seconds: float = LOOK_AFTER_SECONDS) -> None:
        self._ask = ask
        self._after_seconds = after_seconds
        self._looking = asyncio.create_task(self._look(), name="look at a slow append call")
        self._seen: str | None = None

    async def _look(self) -> None:
        await asyncio.sleep(self._after_seconds)
        self._seen = await self._ask()

    def end(self) -> str | None:
        """The call has ended. What was seen; None: it was quick, or the answer came too late."""
        self._looking.cancel()
        return self._seen
