"""What runs of one projection: the topics it reads, and what it does beside reading."""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from projector.control.loop import Controlled
from projector.kafka.metrics import ProjectionMetrics
from projector.kafka.work import Source, Work
from shared.kafka.topics import TopicSpec


class Subscription(NamedTuple):
    """One topic of a projection and what is done with its records; `label` is what it is measured as."""

    label: str
    source: Source
    work: Work
    metrics: ProjectionMetrics


class Background(Controlled, Protocol):
    """What a projection does beside reading."""

    async def run(self) -> None:
        """Until cancelled."""

    async def check(self) -> None:
        """For readiness. Raises with the reason."""


class Running(NamedTuple):
    """A projection that is to run in this process; `topics` are its own, made where they are missing."""

    name: str
    subscriptions: Sequence[Subscription]
    background: Sequence[Background] = ()
    topics: Sequence[TopicSpec] = ()
