"""The newest records of a topic, read once for all projections of a process.

Each projection takes what comes after its own place. The tail is bounded: a projection that is too slow finds
its records gone, and reads them from Kafka by itself.
"""

import asyncio
from collections import deque
from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

from projector.kafka.records import SharedRecord

# Also kept when all have taken them: for a projection that has nearly caught up, and wants to follow.
RECORDS_KEPT = 1_000
# Who is further behind the end, or ahead of the reading, reads by itself: nobody is to wait for another one.
BEHIND_RECORDS_MAX = 1_000


class Place(NamedTuple):
    """Where a projection is in a partition: its next offset, and the partition's end as it knows it."""

    next_offset: int
    end: int


class _Chunk(NamedTuple):
    number: int
    """Of its first record, counted from the first record ever."""
    records: Sequence[SharedRecord]
    next_offsets: Mapping[int, int]
    """Where each of its partitions goes on after it."""
    size_bytes: int


class Tail:
    """Without any I/O. A place in it is the number of a record, counted from the first one ever added."""

    def __init__(self, *, records_max: int, bytes_max: int) -> None:
        self._records_max, self._bytes_max = records_max, bytes_max
        self._chunks: deque[_Chunk] = deque()
        self._bytes = 0
        self.end = 0
        """The place after the newest record."""
        self.first_offsets: dict[int, int] = {}
        """By partition that is read: from this offset on, nothing is missing."""
        self.next_offsets: dict[int, int] = {}
        """By partition that is read: where the reading goes on."""

    @property
    def begin(self) -> int:
        """The place of the oldest record that is kept."""
        return self._chunks[0].number if self._chunks else self.end

    def reaches(self, places: Mapping[int, Place]) -> bool:
        """Whether a projection at these places can follow and misses nothing."""
        behind = sum(max(0, place.end - place.next_offset) for place in places.values())
        read = [(place.next_offset, at) for at, place in places.items() if at in self.next_offsets]
        ahead = sum(max(0, offset - self.next_offsets[at]) for offset, at in read)
        if max(behind, ahead) > BEHIND_RECORDS_MAX:
            return False
        # What `start` throws away, this projection must not need.
        throws_away = self._has(places.keys() - self.next_offsets.keys())
        floors = self.next_offsets if throws_away else self.first_offsets
        return all(offset >= floors[at] for offset, at in read)

    def start(self, offsets: Mapping[int, int]) -> None:
        """These partitions are read from these offsets on."""
        if self._has(offsets.keys()):
            # Their records are from an earlier reading, perhaps of a topic that was made again since.
            self._chunks.clear()
            self._bytes = 0
            self.first_offsets = dict(self.next_offsets)
        self.first_offsets.update(offsets)
        self.next_offsets.update(offsets)

    def forget(self, partition: int) -> None:
        """The partition is not read any more."""
        del self.first_offsets[partition], self.next_offsets[partition]

    def add(self, records: Sequence[SharedRecord]) -> None:
        """The next records, in the order of each partition; the oldest go if there are too many."""
        ends = {record.partition: record.offset + 1 for record in records}
        self.next_offsets.update(ends)
        size_bytes = sum(len(record.value or b"") for record in records)
        self._chunks.append(_Chunk(self.end, records, ends, size_bytes))
        self._bytes += size_bytes
        self.end += len(records)
        # The newest chunk stays, however large it is: everybody would lose it otherwise.
        while len(self._chunks) > 1 and (
            self.end - self.begin > self._records_max or self._bytes > self._bytes_max
        ):
            self._drop_oldest()

    def trim(self, places: Collection[int]) -> None:
        """Everything before these places was taken."""
        needed = min((*places, self.end - RECORDS_KEPT))
        while len(self._chunks) > 1 and self._chunks[1].number <= needed:
            self._drop_oldest()

    def since(self, place: int, records_max: int) -> Sequence[Sequence[SharedRecord]] | None:
        """The records from a place on, in pieces: at least one piece, if there is any, else so few that there
        are at most `records_max` records. None: some of them are gone.
        """
        if place < self.begin:
            return None
        found: list[Sequence[SharedRecord]] = []
        for chunk in reversed(self._chunks):
            if chunk.number < place:
                break
            found.append(chunk.records)
        found.reverse()
        count = 0
        for index, records in enumerate(found):
            count += len(records)
            if index and count > records_max:
                return found[:index]
        return found

    def _has(self, partitions: Collection[int]) -> bool:
        """Whether there are records of one of these partitions."""
        return any(at in partitions for chunk in self._chunks for at in chunk.next_offsets)

    def _drop_oldest(self) -> None:
        chunk = self._chunks.popleft()
        self._bytes -= chunk.size_bytes
        for partition, offset in chunk.next_offsets.items():
            if partition in self.first_offsets:
                self.first_offsets[partition] = max(self.first_offsets[partition], offset)


class Follower:
    """One projection at its place in the tail. `next_offsets` is where it goes on, by partition."""

    def __init__(self, tail: Tail, next_offsets: dict[int, int]) -> None:
        self.next_offsets = next_offsets
        self.place = tail.begin
        self.news = asyncio.Event()
        """Records have come, or following ends."""
        self._tail: Tail | None = tail

    @property
    def is_over(self) -> bool:
        """The reader has failed, or this has left."""
        return self._tail is None

    @property
    def waiting(self) -> int:
        """How many records it has not taken yet, those of other processes' partitions included."""
        return 0 if self._tail is None else self._tail.end - self.place

    def take(self, records_max: int) -> tuple[SharedRecord, ...] | None:
        """The next records of its partitions. None: it has to read by itself."""
        if self._tail is None or (found := self._tail.since(self.place, records_max)) is None:
            return None
        self.place += sum(map(len, found))
        places, nowhere = self.next_offsets, float("inf")
        records = tuple(
            record
            for some in found
            for record in some
            if record.offset >= places.get(record.partition, nowhere)
        )
        places.update({record.partition: record.offset + 1 for record in records})
        return records

    def end(self) -> None:
        """It follows no more."""
        self._tail = None
        self.news.set()
