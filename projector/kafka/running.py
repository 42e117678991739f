"""The running parts of one projection: its subscriptions, and its background tasks."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol

from projector.control.loop import Controlled
from projector.control.ports import PlaceOrders
from projector.kafka.metrics import ProjectionMetrics
from projector.kafka.starting_points import Placed
from projector.kafka.work import Source, Work
from shared.kafka.topics import TopicSpec
from shared.ops.health import Check

_NONE: Mapping[str, Check] = {}


class Subscription(NamedTuple):
    """One topic of a projection and the work on its records; `label` is its name in metrics.

    `orders`: where to begin after `reposition`, if the group keeps the place. `placed` gets the places of a
    group with committed offsets, and which of them were ordered.
    """

    label: str
    source: Source
    work: Work
    metrics: ProjectionMetrics
    orders: PlaceOrders
    placed: Placed | None = None


class Background(Controlled, Protocol):
    """A task of a projection beside its subscriptions."""

    async def run(self) -> None:
        """Until cancelled."""

    async def check(self) -> None:
        """For readiness. Raises an error with the reason."""


class Running(NamedTuple):
    """The parts of a projection in this process; `topics` are its own and are created if missing. `servers`
    it has alone: readiness tells of one that is away, also while no event comes.
    """

    name: str
    subscriptions: Sequence[Subscription]
    background: Sequence[Background] = ()
    topics: Sequence[TopicSpec] = ()
    servers: Mapping[str, Check] = _NONE
