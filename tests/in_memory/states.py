"""The table of states and the compacted topic in memory."""

import asyncio
from collections import defaultdict, deque
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from projector.errors import Fenced, ProjectorError, Unavailable
from projector.state_topic.ports import Portion, State, Waiting
from shared.contract.addresses import partition_of
from tests.unit.projector.histories import START


@dataclass
class StateRow:
    """Of one product; `log_position` is its version, too."""

    partition: int
    stream_version: int
    document: bytes | None
    saved_at: datetime
    published_version: int = 0

    @property
    def waits(self) -> bool:
        """Whether the topic does not have it."""
        return self.published_version < self.stream_version


class InMemoryStateTable:
    """Implements `state_topic.ports.StateTable`; `failure`, where set, is raised by everything."""

    def __init__(self, partition_count: int = 1, *, states_max: int = 500, bytes_max: int = 1 << 22) -> None:
        self.now = START
        self.failure: ProjectorError | None = None
        self.rows: dict[UUID, StateRow] = {}
        self.limits = (states_max, bytes_max)
        self._partition_count = partition_count

    def save(self, product_id: UUID, stream_version: int, document: bytes | None) -> None:
        """As a batch does: a row that is as new or newer stays."""
        row = self.rows.get(product_id)
        if row is None:
            at = partition_of(product_id, self._partition_count)
            self.rows[product_id] = StateRow(at, stream_version, document, self.now)
        elif row.stream_version < stream_version:
            row.stream_version, row.document, row.saved_at = stream_version, document, self.now

    async def unpublished(self, partitions: Collection[int]) -> Mapping[int, Portion]:
        self._fail()
        limits = [max(1, limit // max(1, len(partitions))) for limit in self.limits]
        return {partition: self._portion(partition, *limits) for partition in partitions}

    def _portion(self, partition: int, states_max: int, bytes_max: int) -> Portion:
        waiting = [(key, row) for key, row in self.rows.items() if row.partition == partition and row.waits]
        waiting.sort(key=lambda one: (one[1].stream_version, one[0]))
        portion: list[State] = []
        size = 0
        for product_id, row in waiting[:states_max]:
            size += len(row.document or b"")
            if portion and size > bytes_max:
                break
            version = row.stream_version
            portion.append(State(product_id, version, version, START, row.document, None))
        return Portion(portion, are_all=len(portion) == len(waiting))

    async def waiting(self, partitions: Collection[int]) -> Mapping[int, Waiting]:
        self._fail()
        since: defaultdict[int, list[datetime]] = defaultdict(list)
        for row in self.rows.values():
            if row.waits and row.partition in partitions:
                since[row.partition].append(row.saved_at)
        return {
            at: Waiting(len(times), (self.now - min(times)).total_seconds()) for at, times in since.items()
        }

    async def published(self, states: Sequence[State]) -> None:
        self._fail()
        for state in states:
            row = self.rows[state.product_id]
            is_same = (row.stream_version, row.document) == (state.stream_version, state.document)
            if is_same or row.stream_version > state.stream_version:
                row.published_version = max(row.published_version, state.stream_version)

    async def topic_lost(self, partitions: Collection[int]) -> None:
        self._fail()
        for row in self.rows.values():
            if row.partition in partitions:
                row.published_version = 0

    def _fail(self) -> None:
        if self.failure is not None:
            raise self.failure


class InMemoryStateTopic:
    """Implements `state_topic.ports.StateTopic`. `failures`: how the next publications end, one each."""

    def __init__(self) -> None:
        self.records: defaultdict[int, list[State]] = defaultdict(list)
        self.failures: deque[Literal["before", "after", "none"]] = deque()
        self.failure: ProjectorError | None = None
        self.epochs: defaultdict[int, int] = defaultdict(int)

    async def open(self, partition: int) -> "InMemoryStateChannel":
        self._fail()
        self.epochs[partition] += 1
        return InMemoryStateChannel(self, partition, self.epochs[partition])

    async def empty(self, partitions: Collection[int]) -> Collection[int]:
        self._fail()
        return [one for one in partitions if not self.records[one]]

    def latest(self) -> dict[UUID, State]:
        """What a reader of it makes: the last record of each product."""
        return {one.product_id: one for some in self.records.values() for one in some}

    def _fail(self) -> None:
        if self.failure is not None:
            raise self.failure


class InMemoryStateChannel:
    """Implements `state_topic.ports.StateChannel`."""

    def __init__(self, topic: InMemoryStateTopic, partition: int, epoch: int) -> None:
        self._topic = topic
        self._partition = partition
        self._epoch = epoch
        self._is_spent = False

    async def publish(self, states: Sequence[State]) -> None:
        assert not self._is_spent, "after a failure a channel is good for nothing but abandon"
        self._is_spent = True
        outcome = self._topic.failures.popleft() if self._topic.failures else "none"
        await asyncio.sleep(0)  # another channel may be opened while it is on its way
        if self._topic.epochs[self._partition] != self._epoch:
            raise Fenced("another channel of this partition is open")
        if outcome == "before":
            raise Unavailable("away")
        self._topic.records[self._partition] += states
        if outcome == "after":
            raise Unavailable("no answer")
        self._is_spent = False

    async def close(self) -> None:
        """Nothing is on its way."""

    async def abandon(self) -> None:
        """Nobody hears of it."""
