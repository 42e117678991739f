"""A projection as an object: its source, its running parts, its retries and its rebuild.

`projections.py` has the list. Commands go through the list; none branches on a name.
"""

from typing import TYPE_CHECKING, Protocol

from projector.kafka.running import Running
from projector.kafka.work import Source
from projector.parking.retry import Retrying
from projector.rebuild.rebuilding import Rebuilding
from projector.reposition.ports import Subject
from projector.stores import Stores

if TYPE_CHECKING:
    from projector.settings import ProjectorSettings


class Projection(Protocol):
    """Everything under one name: a consumer group, dead letters, and a view or a side effect."""

    @property
    def name(self) -> str:
        """The name in commands, metrics, tables and consumer groups."""

    @property
    def rebuilding(self) -> Rebuilding | None:
        """None: its effect cannot be repeated, such as a mail."""

    def lacks(self, settings: "ProjectorSettings") -> str | None:
        """The settings that are missing and that it cannot run without; None: it can run."""

    def source(self, stores: Stores) -> Source:
        """Its topic, its consumer group, and where a new group begins."""

    def running(self, stores: Stores) -> Running:
        """Its parts that run in a process."""

    def retrying(self, stores: Stores) -> Retrying:
        """How its dead letters are retried and discarded."""

    def repositioning(self, stores: Stores, *, is_restored: bool) -> Subject:
        """How it is caught up from the log and placed; only if it lacks no settings.

        `is_restored`: the read model is from a backup, and has forgotten what was done since.
        """
