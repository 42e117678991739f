"""The compacted topic of states, and indexes, in memory. The suite of the real topic runs on this one."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from uuid import UUID

from query_api.errors import SearchUnavailable
from query_api.search.feed_ports import (
    IndexMustBeRebuilt,
    NoStateTopic,
    ReadStates,
    StateRecord,
    StatesUnavailable,
    TopicLag,
)
from query_api.search.ports import IndexCheckpoint, IndexedState
from shared.ops.concurrency.waits import pause

CLOCKS_DIFFER_SECONDS_MAX = 60.0
LOG = UUID("0197a3f0-0000-7000-8000-000000000001")


class InMemoryStateTopic:
    """Implements `StateTopic`. `now` is the time of new records, in Unix seconds."""

    def __init__(self, partition_count: int = 2) -> None:
        self.partition_count = partition_count
        self.exists = True
        self.is_away = False
        self.silent_seconds = 0.0
        self.now = time.time()
        self.readings: list[InMemoryStateReading] = []
        self.fetched_records_max: int | None = None
        """How many of a partition have come from the broker so far; None: all."""
        self.waits: list[float] = []
        """How long each read would have waited."""
        self.arrived = asyncio.Event()
        self.make_again()

    def make_again(self) -> None:
        """Delete and create it."""
        self.records: list[list[tuple[float, StateRecord | None]]] = [[] for _ in range(self.partition_count)]
        self.arrived.set()

    def publish(self, *states: IndexedState, log_id: UUID | None = LOG) -> None:
        """One transaction for each partition; its marker takes an offset, too."""
        for state in states:
            self.records[state.partition].append((self.now, StateRecord(state, log_id)))
        for partition in {state.partition for state in states}:
            self.records[partition].append((self.now, None))
        self.arrived.set()

    async def open(self, checkpoint: IndexCheckpoint | None) -> "InMemoryStateReading":
        self.ask()
        if not self.exists:
            raise NoStateTopic("the topic does not exist")
        reading = InMemoryStateReading(self, checkpoint)
        self.readings.append(reading)
        return reading

    def fetched(self) -> Mapping[int, Sequence[tuple[float, StateRecord | None]]]:
        """The records that a read can have, by partition."""
        return {at: records[: self.fetched_records_max] for at, records in enumerate(self.records)}

    def ask(self) -> None:
        """Raises `StatesUnavailable` during an outage."""
        if self.is_away:
            raise StatesUnavailable("no broker")


class InMemoryStateReading:
    """Implements `StateReading`."""

    ends: Mapping[int, int]

    def __init__(self, topic: InMemoryStateTopic, checkpoint: IndexCheckpoint | None) -> None:
        self._topic = topic
        self.is_closed = False
        self.ends = {at: len(records) for at, records in enumerate(topic.records)}
        known = {} if checkpoint is None else checkpoint.next_offsets
        self._next = {at: known.get(at, 0) for at in range(topic.partition_count)}
        self._check_ends()
        self.offset_count = sum(end - self._next[at] for at, end in self.ends.items())
        if checkpoint is not None:
            self._compare(self._next, checkpoint.saved_at)
        self._place: tuple[Mapping[int, int], float] | None = None

    async def read(self, wait_seconds: float, states_max: int) -> ReadStates:
        topic = self._topic
        topic.ask()
        topic.waits.append(wait_seconds)
        if all(len(records) <= self._next[at] for at, records in topic.fetched().items()):
            topic.arrived.clear()
            await pause(wait_seconds, topic.arrived)
            topic.ask()
        self._check_ends()
        fetched = topic.fetched()
        states: list[StateRecord] = []
        for at, records in fetched.items():
            while self._next[at] < len(records) and len(states) < states_max:
                _, record = records[self._next[at]]
                states += [] if record is None else [record]
                self._next[at] += 1
        size = sum(len(record.state.document or b"") for record in states)
        drained = {at for at, lag in self.lag().offsets.items() if lag == 0}
        return ReadStates(states, dict(self._next), drained, size)

    async def check(self) -> None:
        if self._place is None:
            self._place = dict(self._next), self._topic.now
        elif self._topic.now - self._place[1] >= 2 * CLOCKS_DIFFER_SECONDS_MAX:
            self._compare(*self._place)
            self._place = None

    def lag(self) -> TopicLag:
        ends = {at: len(records) for at, records in enumerate(self._topic.records)}
        return TopicLag(
            {at: max(0, end - self._next[at]) for at, end in ends.items()}, self._topic.silent_seconds
        )

    async def close(self) -> None:
        self.is_closed = True

    def _check_ends(self) -> None:
        if any(offset > len(self._topic.records[at]) for at, offset in self._next.items()):
            raise IndexMustBeRebuilt("the topic was made again")

    def _compare(self, offsets: Mapping[int, int], at: float) -> None:
        for partition, offset in offsets.items():
            before = self._topic.records[partition][:offset]
            if any(time_of > at + CLOCKS_DIFFER_SECONDS_MAX for time_of, _ in before):
                raise IndexMustBeRebuilt("the topic was made again")


class InMemoryIndexes:
    """Opens indexes whose content lasts, as a folder's does."""

    def __init__(self) -> None:
        self.content: dict[str, dict[UUID, IndexedState]] = {}
        self.checkpoints: dict[str, IndexCheckpoint] = {}
        self.broken: set[str] = set()
        self.commits: list[Sequence[IndexedState]] = []
        self.refreshes = 0
        self.open_folders: set[str] = set()

    def open(self, folder: Path) -> "InMemoryProductIndex":
        """As an `open_index`. Raises `SearchUnavailable` for a broken one."""
        if folder.name in self.broken:
            raise SearchUnavailable("broken")
        folder.mkdir(exist_ok=True)
        self.open_folders.add(folder.name)
        return InMemoryProductIndex(self, folder.name)


class InMemoryProductIndex:
    """Implements `ProductIndex`."""

    def __init__(self, indexes: InMemoryIndexes, name: str) -> None:
        self._indexes = indexes
        self.name = name
        self.products = indexes.content.setdefault(name, {})

    @property
    def checkpoint(self) -> IndexCheckpoint | None:
        return self._indexes.checkpoints.get(self.name)

    def apply(self, states: Sequence[IndexedState], checkpoint: IndexCheckpoint) -> None:
        if self.name in self._indexes.broken:
            raise SearchUnavailable("the disk is full")
        for state in states:
            if state.document is None:
                self.products.pop(state.product_id, None)
            else:
                self.products[state.product_id] = state
        self._indexes.checkpoints[self.name] = checkpoint
        self._indexes.commits.append(list(states))

    def refresh(self) -> None:
        self._indexes.refreshes += 1

    def close(self) -> None:
        self._indexes.open_folders.discard(self.name)
