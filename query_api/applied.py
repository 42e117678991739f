"""What the server that answers a read must have applied, so that a reader sees its own write.

Each of several servers (replicas, or a pooler before them) is late by a time of its own. That one of them has
the write says nothing about the one that reads the rows. So this goes along with the read, to its server.
"""

from collections.abc import Mapping
from typing import NamedTuple


class Applied(NamedTuple):
    """Positions of a projection by partition of a topic."""

    projection: str
    topic: str
    positions: Mapping[int, int]

    def is_met_by(self, positions: Mapping[int, int]) -> bool:
        """Whether a server with these positions shows the write."""
        return all(positions.get(partition, -1) >= least for partition, least in self.positions.items())
