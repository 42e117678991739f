"""What a projection is: an object that says what it reads, what runs of it, how it is retried and rebuilt.

`projections.py` has the list of them. Commands go through the list; none asks for a name.
"""

from typing import TYPE_CHECKING, Protocol

from projector.kafka.running import Running
from projector.kafka.work import Source
from projector.parking.retry import Retrying
from projector.rebuild.rebuilding import Rebuilding
from projector.stores import Stores

if TYPE_CHECKING:
    from projector.settings import ProjectorSettings


class Projection(Protocol):
    """All that goes by one name: a consumer group, dead letters, a view or a side effect."""

    @property
    def name(self) -> str:
        """As in commands, metrics, tables and consumer groups."""

    @property
    def rebuilding(self) -> Rebuilding | None:
        """None: what it did cannot be done again, such as a mail."""

    def lacks(self, settings: "ProjectorSettings") -> str | None:
        """Which settings it cannot run without; None: it can run."""

    def source(self, stores: Stores) -> Source:
        """Its topic, its consumer group, and where a new group begins."""

    def running(self, stores: Stores) -> Running:
        """What runs of it in a process."""

    def retrying(self, stores: Stores) -> Retrying:
        """How its dead letters are retried and discarded."""
