"""MGET without the long path of the client's own method."""

from collections.abc import Sequence
from typing import Any

import hiredis

from shared.redis.direct_calls import DirectCalls


class MultiGet:
    """Call it with keys; it returns their values in order. Raises redis-py's errors."""

    def __init__(self, calls: DirectCalls) -> None:
        self._calls = calls

    async def __call__(self, keys: list[str]) -> Sequence[Any]:
        command = hiredis.pack_command(("MGET", *keys))  # type: ignore[arg-type]  # declared for one part
        values: Sequence[Any] = await self._calls(command)
        return values
