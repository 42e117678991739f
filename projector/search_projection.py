"""The projection that keeps the search index in OpenSearch, where an installation has one."""

from collections.abc import AsyncIterator, Callable, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING
from uuid import UUID

from projector.applying.ports import Checkpoint
from projector.control.watch import Watch
from projector.errors import LogDiffers, Unavailable
from projector.kafka.running import Running
from projector.kafka.work import Source
from projector.parking.postgres.parking import parking_alone
from projector.rebuild.first_build import build
from projector.rebuild.kafka import NextOffsets
from projector.rebuild.opensearch.index_check import SearchIndexCheck
from projector.rebuild.opensearch.shadow import Ends, OpenSearchShadow
from projector.rebuild.postgres.cache_record import PostgresCacheRecords
from projector.rebuild.postgres.log_scan import PostgresLogScan
from projector.rebuild.rebuilding import Target
from projector.rebuild.verify import Verification
from projector.reposition.kafka import KafkaTopic
from projector.reposition.ports import Places
from projector.reposition.postgres.places import PostgresPlaces
from projector.reposition.view import ViewSubject
from projector.stores import Stores
from projector.view_projection import ViewProjection
from projector.views.search_index.opensearch.checkpoints import IndexCheckpoints
from projector.views.search_index.opensearch.documents import IndexedProducts
from projector.views.search_index.opensearch.failures import SERVER
from projector.views.search_index.opensearch.indexes import SearchIndexes
from projector.views.search_index.opensearch.view import OpenSearchView
from projector.views.search_index.opensearch.watch import IndexKeeper
from shared.contract.views import ProductDocument
from shared.ops.logs import get_logger
from shared.postgres.sql import load_sql

if TYPE_CHECKING:
    from projector.settings import ProjectorSettings

_log = get_logger(__name__)


@dataclass(frozen=True)
class SearchProjection(ViewProjection[ProductDocument]):
    """Documents and checkpoints in one index. A missing index is made from the log, not from the topic, which
    may have been made again and then lacks what happened before.
    """

    def lacks(self, settings: "ProjectorSettings") -> str | None:
        """Without the address of OpenSearch, each query process has an index of its own."""
        return None if settings.search_url else "SEARCH_URL"

    def source(self, stores: Stores) -> Source:
        """A search with a consistency token waits for it, so it does not wait for a fuller batch."""
        return Source(stores.topic, stores.group(self.name), "checkpoint")

    def view(self, stores: Stores) -> OpenSearchView:
        """Dead letters are stored in PostgreSQL, in a transaction of their own."""
        return self._view(self.indexes(stores), stores)

    def running(self, stores: Stores) -> Running:
        """The events, and a watch over the index."""
        indexes = self.indexes(stores)
        view = self._view(indexes, stores)
        keeper = IndexKeeper(
            indexes,
            view,
            newest_position=stores.log.newest_position,
            build=partial(build, self, stores),
            begin_anew=partial(self._begin_anew, stores),
        )
        watch = Watch(
            self.name, "index in OpenSearch", keeper.look, effect="a missing search index is not made"
        )
        running = self.running_on(view, stores, revoked=view.forget)
        return running._replace(background=[watch], servers={SERVER: self.indexes(stores).check})

    def indexes(self, stores: Stores) -> SearchIndexes:
        """With a client for the caller alone."""
        settings = stores.settings
        return SearchIndexes(
            stores.opensearch(),
            settings.search_index_prefix,
            shards=settings.search_index_shards,
            replicas=settings.search_index_replicas,
        )

    @property
    def shadow_is(self) -> str:
        """For the output: where a shadow is that waits for an operator."""
        return "the newest index in OpenSearch"

    async def wait_until_live_has(self, position: int, stores: Stores, seconds_max: float) -> None:
        """Not if there is none: then nothing is compared. Raises `Unavailable`, `CannotGoOn`."""
        if await self.indexes(stores).live() is not None:
            await super().wait_until_live_has(position, stores, seconds_max)

    def target(self, stores: Stores, owner_id: UUID) -> Target[ProductDocument]:
        """The next index."""
        records = PostgresCacheRecords(stores.read_model, self.name, self.parked_anew(stores), owner_id)
        shadow = OpenSearchShadow(
            self.indexes(stores),
            records,
            PostgresLogScan(stores.log_pool).stream_versions,
            partial(self._ends, stores),
            partial(self._parked_ids, stores),
            partition_count=stores.settings.partition_count,
        )
        return Target(shadow, records, self.fold, shadow.next_generation)

    @asynccontextmanager
    async def verification(
        self, stores: Stores, report: Callable[[int], None]
    ) -> AsyncIterator[Verification[ProductDocument]]:
        """Up to the checkpoints of the live index. Raises `Unavailable`."""
        indexes, partition_count = self.indexes(stores), stores.settings.partition_count
        checkpoints = IndexCheckpoints(indexes)
        name = await checkpoints.live_name()
        places = await checkpoints.read(range(partition_count), name)
        # After the positions: an event is parked before the checkpoint moves past it.
        parked = await self._parked_ids(stores)
        index = SearchIndexCheck(
            IndexedProducts(indexes, name, partition_count),
            {partition: place.point.log_position for partition, place in places.items()},
            parked,
            partition_count,
        )
        yield Verification(self.name, PostgresLogScan(stores.log_pool), self.fold, index, report)

    def next_offsets(self, stores: Stores) -> NextOffsets:
        """Reads the offsets of its checkpoints."""
        checkpoints = IndexCheckpoints(self.indexes(stores))

        async def read() -> dict[int, int]:
            places = await checkpoints.read(range(stores.settings.partition_count))
            return {partition: place.point.next_offset for partition, place in places.items()}

        return read

    def repositioning(self, stores: Stores, *, is_restored: bool) -> ViewSubject:
        """As for every view; its checkpoints are placed in the index."""
        indexes = self.indexes(stores)
        places = PostgresPlaces(
            stores.read_model,
            stores.log,
            projection=self.name,
            topic=stores.topic,
            has_checkpoints=True,
            elsewhere=partial(_place, IndexCheckpoints(indexes)),
        )
        return ViewSubject(
            self.name,
            self.applier(stores, self._view(indexes, stores)),
            stores.log,
            places,
            topic=stores.topic,
            partition_count=stores.settings.partition_count,
        )

    def _view(self, indexes: SearchIndexes, stores: Stores) -> OpenSearchView:
        parking = partial(parking_alone, stores.read_model, self.name, stores.limits)
        return OpenSearchView(indexes, parking, stores.settings.partition_count)

    async def _begin_anew(self, stores: Stores, reason: str) -> None:
        await stores.read_model.execute(load_sql("projector.control", "start_anew"), self.name, reason)

    async def _parked_ids(self, stores: Stores) -> Collection[UUID]:
        partitions = range(stores.settings.partition_count)
        return (await self.parked_products(stores).places(partitions)).product_ids

    async def _ends(self, stores: Stores) -> Ends:
        """From the beginning if Kafka does not tell, or if the topic is that of another log: what the index
        has is dropped.
        """
        seconds_max = stores.settings.producer_start_seconds_max
        try:
            edge = await KafkaTopic(
                stores.settings.kafka_servers, stores.topic, seconds_max=seconds_max
            ).edge()
        except Unavailable as error:
            _log.warning("the topic is read from its beginning", projection=self.name, reason=str(error))
            return Ends({})
        log_id = await stores.log.log_id()
        if any(found != log_id for found, _ in edge.newest.values()):
            return Ends({})
        return Ends(edge.end_offsets, max((position for _, position in edge.newest.values()), default=0))


async def _place(checkpoints: IndexCheckpoints, places: Places) -> None:
    """A consumer that was slower is fenced. Raises `LogDiffers`."""
    name = await checkpoints.live_name()
    before = await checkpoints.read(places.next_offsets, name)
    if any(place.point.log_id != places.log_id for place in before.values()):
        raise LogDiffers(f"{name} has events of another log")
    positions = {partition: place.point.log_position for partition, place in before.items()}
    points = {
        partition: Checkpoint(offset, max(places.log_position, positions.get(partition, 0)), places.log_id)
        for partition, offset in places.next_offsets.items()
    }
    await checkpoints.place(name, points)
