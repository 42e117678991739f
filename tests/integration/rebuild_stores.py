"""What the suites of rebuilds ask for, over the real read model."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any
from uuid import UUID

from projector.applying.ports import Change, Held
from projector.projections import PRODUCT_VIEW
from projector.rebuild.ports import Records, Shadow
from projector.rebuild.postgres.lock import rebuild_lock
from projector.settings import ProjectorSettings
from projector.stores import Stores
from tests.in_memory.event_log import InMemoryEventLog
from tests.unit.projector.records import LOG_ID


class PostgresRebuildStores:
    """Implements `rebuild_suites.RebuildStores`, for whoever has the rebuild's lock."""

    def __init__(self, read_model: Any, settings: ProjectorSettings, owner_id: UUID) -> None:
        self.log = InMemoryEventLog(LOG_ID)
        self._read_model = read_model
        self._stores = Stores(settings, read_model, read_model, self.log, AsyncExitStack())
        self._target = PRODUCT_VIEW.target(self._stores, owner_id)

    def shadow(self) -> Shadow[Any]:
        return self._target.shadow

    def records(self) -> Records:
        return self._target.records

    async def save_live(self, changes: Sequence[Change[Any]]) -> None:
        async with self._read_model.acquire() as connection:
            await PRODUCT_VIEW.tables(self._stores).save(connection, changes)

    async def live(self, product_ids: Sequence[UUID]) -> Mapping[UUID, Held[Any]]:
        async with self._read_model.acquire() as connection:
            return await PRODUCT_VIEW.tables(self._stores).held(connection, product_ids)


@asynccontextmanager
async def locked_rebuild_stores(read_model: Any, dsn: str) -> AsyncIterator[PostgresRebuildStores]:
    """With the lock of the rebuild, which needs a connection of its own to `dsn`."""
    async with rebuild_lock(dsn, PRODUCT_VIEW.name, connect_timeout_seconds=30) as owner_id:
        yield PostgresRebuildStores(read_model, ProjectorSettings(_env_file=None), owner_id)
