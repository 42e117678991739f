"""The common part of all projections that keep a view, in any store."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic
from uuid import UUID

from projector.applying.apply import Applier
from projector.applying.parking_breaker import ParkingBreaker
from projector.applying.ports import Fold, Listener, S, View
from projector.control.postgres import PostgresPlaceOrders
from projector.kafka.batch_run import BatchRun
from projector.kafka.metrics import ProjectionMetrics
from projector.kafka.records import read_one
from projector.kafka.running import Running, Subscription
from projector.kafka.work import Source
from projector.parking.postgres.parking import PostgresParkedProducts
from projector.parking.retry import Retry
from projector.rebuild.kafka import NextOffsets, wait_until_applied
from projector.rebuild.postgres.log_scan import PostgresLogScan
from projector.rebuild.postgres.shadow_parking import ParkedAnew
from projector.rebuild.rebuilding import Rebuilding, Target
from projector.rebuild.verify import Verification
from projector.reposition.postgres.places import Also, PostgresPlaces
from projector.reposition.view import ViewSubject
from projector.stores import Stores

if TYPE_CHECKING:
    from projector.settings import ProjectorSettings


@dataclass(frozen=True)
class ViewProjection(ABC, Generic[S]):
    """A view that `fold` makes from events."""

    name: str
    fold: Fold[S]

    @property
    def rebuilding(self) -> Rebuilding | None:
        """A view can always be made from the log."""
        return self

    def lacks(self, settings: "ProjectorSettings") -> str | None:
        """A view needs no settings but the servers' addresses."""
        return None

    @abstractmethod
    def source(self, stores: Stores) -> Source:
        """Its topic, its consumer group, and where a new group begins."""

    @abstractmethod
    def view(self, stores: Stores) -> View[S]:
        """The view that changes are written to."""

    def listener(self, stores: Stores) -> Listener[S] | None:
        """Gets the changes after they are visible."""
        return None

    def running(self, stores: Stores) -> Running:
        """One subscription: the events."""
        return self.running_on(self.view(stores), stores)

    def running_on(
        self, view: View[S], stores: Stores, revoked: Callable[[], None] = lambda: None
    ) -> Running:
        """The same, for a view that is open. `revoked` is called when partitions are taken away."""
        metrics = ProjectionMetrics(self.name)
        work = BatchRun(self.name, stores.settings, self.applier(stores, view), metrics, revoked=revoked)
        orders = PostgresPlaceOrders(stores.read_model, stores.log, projection=self.name, topic=stores.topic)
        return Running(self.name, [Subscription(self.name, self.source(stores), work, metrics, orders)])

    def applier(self, stores: Stores, view: View[S] | None = None) -> Applier[S]:
        """Applies batches to the view."""
        return Applier(
            view or self.view(stores),
            self.fold,
            stores.log,
            self.parked_products(stores),
            listener=self.listener(stores),
            breaker=ParkingBreaker(products_max=stores.settings.parked_products_per_minute_max),
        )

    def retrying(self, stores: Stores) -> Retry[S]:
        """Applies dead letters to the view."""
        return Retry(self.view(stores), self.fold, stores.log, read_one, self.listener(stores))

    @property
    def placed_too(self) -> Also | None:
        """More that has to happen when it is repositioned, in the same transaction."""
        return None

    def repositioning(self, stores: Stores, *, is_restored: bool) -> ViewSubject:
        """Events of the log are applied to the live view, whatever it has forgotten."""
        places = PostgresPlaces(
            stores.read_model,
            stores.log,
            projection=self.name,
            topic=stores.topic,
            has_checkpoints=self.source(stores).starts_at == "checkpoint",
            also=self.placed_too,
        )
        return ViewSubject(
            self.name,
            self.applier(stores),
            stores.log,
            places,
            topic=stores.topic,
            partition_count=stores.settings.partition_count,
        )

    @property
    def shadow_is(self) -> str:
        """For the output: where a shadow is that waits for an operator."""
        return "in the schema views_shadow"

    @property
    def why_left_out(self) -> str:
        """For the output: why a comparison leaves products out."""
        return "parked"

    @abstractmethod
    def target(self, stores: Stores, owner_id: UUID) -> Target[S]:
        """The shadow that a rebuild fills."""

    @abstractmethod
    def verification(
        self, stores: Stores, report: Callable[[int], None]
    ) -> AbstractAsyncContextManager[Verification[S]]:
        """Compares the live view with the log. Raises `Unavailable`, `CannotGoOn`."""

    def next_offsets(self, stores: Stores) -> NextOffsets | None:
        """Reads the offsets of its checkpoints; None: the group's committed offsets are the position."""
        return None

    async def wait_until_live_has(self, position: int, stores: Stores, seconds_max: float) -> None:
        """Until the running projection has applied this position. Raises `Unavailable`, `CannotGoOn`."""
        await wait_until_applied(
            stores.settings.kafka_servers,
            stores.topic,
            stores.group(self.name),
            position,
            published_position=PostgresLogScan(stores.log_pool).published_position,
            next_offsets=self.next_offsets(stores),
            seconds_max=seconds_max,
        )

    def parked_products(self, stores: Stores) -> PostgresParkedProducts:
        """The stored dead letters, outside of any batch."""
        return PostgresParkedProducts(stores.read_model, projection=self.name, topic=stores.topic)

    def parked_anew(self, stores: Stores) -> ParkedAnew[S]:
        """Parks the products that a rebuild cannot fold."""
        return ParkedAnew(
            stores.log,
            projection=self.name,
            topic=stores.topic,
            partition_count=stores.settings.partition_count,
            limits=stores.limits,
        )
