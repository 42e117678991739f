"""The port of waiting for a write; its adapter is `postgres.py`."""

from collections.abc import Mapping
from typing import Protocol

from query_api.applied import Applied


class Checkpoints(Protocol):
    """The checkpoints of one projection."""

    async def positions(self) -> Mapping[int, int]:
        """Kafka partition -> last log position."""
        ...

    def applied(self, positions: Mapping[int, int]) -> Applied:
        """These positions of this projection."""
        ...
