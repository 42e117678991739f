"""Projections that keep a view in tables of PostgreSQL."""

from abc import abstractmethod
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from uuid import UUID

from projector.applying.ports import Listener, S, View
from projector.kafka.work import Source
from projector.rebuild.kafka import NextOffsets
from projector.rebuild.postgres.log_scan import PostgresLogScan
from projector.rebuild.postgres.record import RebuildRecords
from projector.rebuild.postgres.shadow import PostgresShadow, Returned
from projector.rebuild.postgres.view_check import postgres_view_check
from projector.rebuild.rebuilding import Target
from projector.rebuild.verify import Verification
from projector.stores import Stores
from projector.view_projection import ViewProjection
from projector.views.postgres.statements import LIVE, SHADOW
from projector.views.postgres.tables import Tables
from projector.views.postgres.view import PostgresView


@dataclass(frozen=True)
class PostgresProjection(ViewProjection[S]):
    """A view in tables of PostgreSQL, with its checkpoints beside it. `waits_for_batch`: see `Source`."""

    waits_for_batch: bool = True

    @abstractmethod
    def tables(self, stores: Stores, schema: str = LIVE) -> Tables[S]:
        """The tables in one schema: the live ones, or a rebuild's."""

    @property
    def returned(self) -> Returned | None:
        """Called in the transaction of a rollback: the tables from before the last switch are live again."""
        return None

    def source(self, stores: Stores) -> Source:
        """Reading starts at its checkpoints."""
        return Source(
            stores.topic, stores.group(self.name), "checkpoint", waits_for_batch=self.waits_for_batch
        )

    def view(self, stores: Stores) -> View[S]:
        """Tables, checkpoints and dead letters in one transaction a batch."""
        return PostgresView(
            stores.read_model,
            self.tables(stores),
            projection=self.name,
            topic=stores.topic,
            limits=stores.limits,
        )

    def target(self, stores: Stores, owner_id: UUID) -> Target[S]:
        """The same tables in another schema."""
        records = RebuildRecords(stores.read_model, self.name, owner_id)
        shadow = PostgresShadow(
            stores.read_model,
            records,
            self.tables(stores),
            self.tables(stores, SHADOW),
            self.parked_anew(stores),
            projection=self.name,
            topic=stores.topic,
            partition_count=stores.settings.partition_count,
            returned=self.returned,
        )
        return Target(shadow, records, self.fold, _no_generation)

    @asynccontextmanager
    async def verification(
        self, stores: Stores, report: Callable[[int], None]
    ) -> AsyncIterator[Verification[S]]:
        """In one snapshot of the database. Raises `Unavailable`."""
        async with postgres_view_check(
            stores.read_model,
            partial(self.tables, stores),
            self.name,
            stores.topic,
            stores.settings.partition_count,
        ) as view:
            yield Verification(self.name, PostgresLogScan(stores.log_pool), self.fold, view, report)

    def next_offsets(self, stores: Stores) -> NextOffsets:
        """Reads the offsets of its checkpoints."""
        return partial(RebuildRecords(stores.read_model, self.name).next_offsets, stores.topic)


@dataclass(frozen=True, kw_only=True)
class TableProjection(PostgresProjection[S]):
    """The usual view: `make_tables` are its statements for the tables of a schema.

    `make_listener`: makes the listener to changes, one for each process.
    """

    make_tables: Callable[[str], Tables[S]]
    make_listener: Callable[[Stores], Listener[S]] | None = None

    def tables(self, stores: Stores, schema: str = LIVE) -> Tables[S]:
        """The tables in one schema: the live ones, or a rebuild's."""
        return self.make_tables(schema)

    def listener(self, stores: Stores) -> Listener[S] | None:
        """Gets the changes after they are visible."""
        return None if self.make_listener is None else self.make_listener(stores)


async def _no_generation() -> int:
    return 0
