"""The port of waiting for a write; its adapter is `postgres.py`."""

from collections.abc import Mapping
from typing import Protocol


class Checkpoints(Protocol):
    """The checkpoints of one projection."""

    async def positions(self) -> Mapping[int, int]:
        """Kafka partition -> last log position."""
        ...
