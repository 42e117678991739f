"""A view that can be held twice in memory: live, and as the shadow that a rebuild makes."""

from collections.abc import AsyncIterator, Callable, Collection, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

from projector.applying.ports import Change, Held
from projector.errors import CannotGoOn, ProjectorError
from projector.rebuild.bulk_fold import Failed
from projector.rebuild.ports import CATCHING_UP, LOADING, SWITCHED, CatchingUp, Comparison, Record
from tests.unit.projector.histories import START

Rows = dict[UUID, Held[Any]]


class InMemoryRebuild:
    """Implements `rebuild.ports.Shadow` and `rebuild.ports.Records`, which share their transactions.

    `live` is what readers see. `failure`, where set, is raised by everything. `kept` is what rows hold of a
    state.
    """

    def __init__(self, projection: str, kept: Callable[[Any], Any] = lambda state: state) -> None:
        self.live: Rows = {}
        self.shadow: Rows | None = None
        self.previous: Rows | None = None
        self.record: Record | None = None
        self.failure: ProjectorError | None = None
        self._failures: dict[UUID, Failed] = {}
        self._projection = projection
        self._kept = kept

    async def make(self) -> None:
        self._fail()
        self.shadow = {}

    async def load(
        self, which: int, events: int, changes: Iterable[Change[Any]], failures: Mapping[UUID, Failed]
    ) -> None:
        self._fail()
        record = self._present()
        if which in record.slices_done:
            return
        rows = dict(self._shadow_rows())
        self._save(rows, list(changes))
        self.shadow = rows
        self._failures |= failures
        self.record = record._replace(
            slices_done=[*record.slices_done, which], events_done=record.events_done + events
        )

    async def finish_loading(self) -> None:
        self._fail()

    @asynccontextmanager
    async def begin(self, reached: int | None) -> AsyncIterator["InMemoryShadowWriter"]:
        self._fail()
        writer = InMemoryShadowWriter(dict(self._shadow_rows()), self._save)
        yield writer
        self._fail()
        self.shadow = writer.rows
        self._failures |= writer.failures
        if reached is not None:
            record = self._present()
            self.record = record._replace(reached_position=max(reached, record.reached_position))

    async def compare(self, catch_up: CatchingUp) -> Comparison:
        self._fail()
        await catch_up.apply(await catch_up.newest())
        shadow = self._shadow_rows()
        compared = (self.live.keys() | shadow.keys()) - catch_up.failed
        different = sorted(one for one in compared if self.live.get(one) != shadow.get(one))
        return Comparison(
            len(compared), "checksum", [f"{one}: differs" for one in different], len(catch_up.failed)
        )

    async def switch(self, catch_up: CatchingUp) -> None:
        await catch_up.apply(await catch_up.newest())
        self._fail()
        self.live, self.previous, self.shadow = self._shadow_rows(), self.live, None
        self.record = self._present()._replace(phase=SWITCHED)

    async def switch_back(self, catch_up: CatchingUp) -> None:
        self._fail()
        if self.previous is None:
            raise CannotGoOn("there is no previous view to go back to")
        self.live, self.shadow, self.previous = self.previous, self.live, None
        self.record = self._present()._replace(phase=CATCHING_UP)

    async def drop(self) -> None:
        self._fail()
        self.shadow = None

    async def drop_previous(self) -> None:
        self._fail()
        self.previous = None

    async def read(self) -> Record | None:
        self._fail()
        return self.record

    async def start(self, log_id: UUID, target: int, slices: int, made_by: str, generation: int) -> None:
        self._fail()
        self._failures = {}
        self.record = Record(
            self._projection, LOADING, log_id, target, 0, slices, [], 0, generation, made_by, "", "[]",
            START, START,
        )  # fmt: skip

    async def move_to(self, phase: str, *, proof: str | None = None) -> None:
        self._fail()
        record = self._present()
        self.record = record._replace(phase=phase, proof=record.proof if proof is None else proof)

    async def forget(self) -> None:
        self._fail()
        self.record = None

    async def failures(self) -> Mapping[UUID, Failed]:
        self._fail()
        return dict(self._failures)

    def _save(self, rows: Rows, changes: Sequence[Change[Any]]) -> None:
        for change in changes:
            there = rows.get(change.product_id)
            if there is None or there.stream_version < change.stream_version:
                state = None if change.after is None else self._kept(change.after)
                rows[change.product_id] = Held(change.stream_version, state)

    def _present(self) -> Record:
        assert self.record is not None, "a rebuild is under way"
        return self.record

    def _shadow_rows(self) -> Rows:
        assert self.shadow is not None, "there is a shadow"
        return self.shadow

    def _fail(self) -> None:
        if self.failure is not None:
            raise self.failure


class InMemoryShadowWriter:
    """Implements `rebuild.ports.ShadowWriter`."""

    def __init__(self, rows: Rows, save: Callable[[Rows, Sequence[Change[Any]]], None]) -> None:
        self.rows = rows
        self.failures: dict[UUID, Failed] = {}
        self._save = save

    async def held(self, product_ids: Collection[UUID]) -> Mapping[UUID, Held[Any]]:
        return {one: self.rows[one] for one in product_ids if one in self.rows}

    async def save(self, changes: Sequence[Change[Any]]) -> None:
        self._save(self.rows, changes)

    async def fail(self, failures: Mapping[UUID, Failed]) -> None:
        self.failures |= failures
