"""A read model in memory: views, checkpoints and what is parked, written together or not at all.

A transaction keeps its writes as steps and does them to the rows when it ends well: until then it alone sees
them. The rows that PostgreSQL locks are locked here, too: moved checkpoints and parked products.
"""

import asyncio
import itertools
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, Generic
from uuid import UUID

from projector.applying.dead_letters import Action, DeadLetter, ProductDeadLetter, StoredDeadLetter
from projector.applying.ports import Change, Checkpoint, Held, S
from projector.applying.records import ErrorClass
from projector.errors import Fenced, ParkingIsFull, ProjectorError, Refused
from projector.parking.postgres.parking import DEFAULT_LIMITS, ParkingLimits
from tests.in_memory.rows import Rows, Step, failing_again, failing_alone, parking, releasing, saving


class InMemoryReadModel:
    """What all projections of one installation write to.

    `failure`, where set, is raised by everything. `refusal` is a constraint: why a change cannot be stored.
    `waiting` transactions wait for the end of another one.
    """

    def __init__(self) -> None:
        self.failure: ProjectorError | None = None
        self.refusal: Callable[[Change[Any]], str | None] = lambda change: None
        self.waiting = 0
        self._rows: defaultdict[str, Rows] = defaultdict(Rows)
        self._locks: defaultdict[object, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._numbers = itertools.count(1)

    def rows(self, projection: str) -> Rows:
        """What is committed."""
        self.fail()
        return self._rows[projection]

    def projections(self) -> list[str]:
        """Those that wrote something."""
        self.fail()
        return list(self._rows)

    def fail(self) -> None:
        """Raises what is set."""
        if self.failure is not None:
            raise self.failure

    @asynccontextmanager
    async def locked(self, key: object) -> AsyncIterator[None]:
        """One row, until the block ends."""
        self.waiting += 1
        try:
            await self._locks[key].acquire()
        finally:
            self.waiting -= 1
        try:
            yield
        finally:
            self._locks[key].release()

    def is_locked(self, key: object) -> bool:
        """Whether a transaction has this row."""
        return self._locks[key].locked()

    def next_number(self) -> int:
        """Used once, also by a transaction that fails."""
        return next(self._numbers)

    @asynccontextmanager
    async def parking_alone(
        self, projection: str, limits: ParkingLimits = DEFAULT_LIMITS
    ) -> AsyncIterator["InMemoryBatch[Any]"]:
        """A transaction that moves no checkpoint."""
        async with InMemoryBatch[Any](self, projection, limits).committed() as batch:
            yield batch


class InMemoryBatch(Generic[S]):
    """Implements `applying.ports.BatchWriter`: one transaction of one projection.

    `kept` is what rows hold of a state. With `saves_at_once` the changes are no part of the transaction.
    """

    def __init__(
        self,
        read_model: InMemoryReadModel,
        projection: str,
        limits: ParkingLimits,
        kept: Callable[[S], S] = lambda state: state,
        *,
        saves_at_once: bool = False,
    ) -> None:
        self._read_model = read_model
        self._projection = projection
        self._limits = limits
        self._kept = kept
        self._saves_at_once = saves_at_once
        self._steps: list[Step] = []
        self._locks = AsyncExitStack()
        self._locked: set[object] = set()

    @asynccontextmanager
    async def committed(self) -> AsyncIterator["InMemoryBatch[S]"]:
        """All steps are done when the block ends well, else none."""
        self._read_model.fail()
        async with self._locks:
            yield self
            rows = self._read_model.rows(self._projection)
            for step in self._steps:
                step(rows)

    async def move(
        self, topic: str, reached: Mapping[int, Checkpoint], expected: Mapping[int, int]
    ) -> dict[int, int]:
        """Compare and set; answers the new next offsets. Raises `Fenced`."""
        for partition in sorted(reached):
            await self._lock("checkpoint", topic, partition)
        checkpoints = self._now().checkpoints
        moved = {}
        for partition, point in reached.items():
            there = checkpoints.get((topic, partition))
            offset = None if there is None else there.next_offset
            if offset != expected.get(partition) or (there is not None and there.log_id != point.log_id):
                raise Fenced(f"the checkpoint of {self._projection} is not where it was")
            if there is not None:
                point = point._replace(
                    next_offset=max(point.next_offset, there.next_offset),
                    log_position=max(point.log_position, there.log_position),
                )
            moved[topic, partition] = point
        self._do(lambda rows: rows.checkpoints.update(moved))
        return {partition: point.next_offset for (_, partition), point in moved.items()}

    async def held(self, product_ids: Collection[UUID]) -> Mapping[UUID, Held[S]]:
        held = self._now().held
        return {one: held[one] for one in product_ids if one in held}

    async def save(self, changes: Sequence[Change[S]]) -> None:
        for change in changes:
            refusal = self._read_model.refusal(change)
            if refusal is not None:
                raise Refused(refusal)
        step = saving(changes, self._kept)
        if self._saves_at_once:
            step(self._read_model.rows(self._projection))
        else:
            self._do(step)

    async def still_parked(self, product_ids: Collection[UUID]) -> set[UUID]:
        for product_id in sorted(self._now().products.keys() & set(product_ids)):
            await self._lock("product", self._projection, product_id)
        return self._now().products.keys() & set(product_ids)

    async def park(self, dead_letters: Sequence[DeadLetter]) -> None:
        numbers = [self._read_model.next_number() for _ in dead_letters]
        for number, dead_letter in zip(numbers, dead_letters, strict=True):
            self._do(parking(number, dead_letter))
        self._refuse_too_many({isinstance(dead_letter, ProductDeadLetter) for dead_letter in dead_letters})

    async def parked(self, product_id: UUID) -> Sequence[StoredDeadLetter]:
        found = [one.record for one in self._now().records.values() if one.record.product_id == product_id]
        return sorted(found, key=lambda one: (one.stream_version or 0, one.dead_letter_id))

    async def parked_one(self, dead_letter_id: int) -> StoredDeadLetter | None:
        await self._lock("record", dead_letter_id)
        found = self._now().records.get(dead_letter_id)
        return None if found is None else found.record

    async def release(self, events: Sequence[StoredDeadLetter], action: Action) -> int:
        product_id = events[0].product_id
        self._do(releasing(events, action))
        return 0 if product_id is None else len(await self.parked(product_id))

    async def failed_again(self, product_id: UUID, error_class: ErrorClass, cause: str) -> None:
        self._do(failing_again(product_id, error_class, cause))

    async def failed_alone(self, dead_letter_id: int, error_class: ErrorClass, cause: str) -> None:
        self._do(failing_alone(dead_letter_id, error_class, cause))

    def _refuse_too_many(self, of_products: Collection[bool]) -> None:
        """`of_products`: whether records with, and whether records without a product were parked now."""
        rows, limits = self._now(), self._limits
        alone = sum(one.record.product_id is None for one in rows.records.values())
        if False in of_products and alone > limits.products_max:
            raise ParkingIsFull(f"more than {limits.products_max} single records are parked")
        if True in of_products and len(rows.products) > limits.products_max:
            raise ParkingIsFull(f"more than {limits.products_max} products are parked")
        if max((one.events for one in rows.products.values()), default=0) > limits.events_per_product_max:
            raise ParkingIsFull(f"a product has more than {limits.events_per_product_max} parked events")

    def _do(self, step: Step) -> None:
        self._read_model.fail()
        self._steps.append(step)

    def _now(self) -> Rows:
        """What is committed, with what this transaction has done so far."""
        rows = self._read_model.rows(self._projection)
        if self._steps:
            rows = rows.copied()
            for step in self._steps:
                step(rows)
        return rows

    async def _lock(self, *key: object) -> None:
        if key not in self._locked:
            await self._locks.enter_async_context(self._read_model.locked(key))
            self._locked.add(key)
