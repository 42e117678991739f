"""What the suites of rebuilds ask for, over a shadow in memory."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from projector.applying.ports import Change, Held
from tests.in_memory.event_log import InMemoryEventLog
from tests.in_memory.shadow import InMemoryRebuild
from tests.unit.projector.records import LOG_ID, stored


class InMemoryRebuildStores:
    """Implements `rebuild_suites.RebuildStores`."""

    def __init__(self) -> None:
        self.log = InMemoryEventLog(LOG_ID)
        self._rebuild = InMemoryRebuild("a_view", stored)

    def shadow(self) -> InMemoryRebuild:
        return self._rebuild

    def records(self) -> InMemoryRebuild:
        return self._rebuild

    async def save_live(self, changes: Sequence[Change[Any]]) -> None:
        self._rebuild.live |= {one.product_id: Held(one.stream_version, one.after) for one in changes}

    async def live(self, product_ids: Sequence[UUID]) -> Mapping[UUID, Held[Any]]:
        return {one: self._rebuild.live[one] for one in product_ids if one in self._rebuild.live}
