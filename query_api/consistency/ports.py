"""What waiting for a write needs from outside, owned here; `postgres.py` provides it."""

from collections.abc import Mapping
from typing import Protocol


class Checkpoints(Protocol):
    """The checkpoints of one projection."""

    async def positions(self) -> Mapping[int, int]:
        """Kafka partition -> last log position."""
        ...
