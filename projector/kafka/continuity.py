"""Notices a topic that was lost and made again while it is read, or while the projection was away.

Kafka tells a client nothing about this. A client whose offset is no longer there goes on at the first record,
silently; and in a topic that was filled again, the same offset may be a later record, with events before it
that were never delivered. So delivered offsets must never go back; and reading starts one record early, at
the record that the checkpoint is about: its event must not be newer than the checkpoint says.
"""

from collections.abc import Collection, Mapping, Sequence

from aiokafka import TopicPartition

from projector.errors import LogDiffers
from projector.kafka.records import Record
from projector.kafka.starting_points import StartingPoint
from shared.kafka.cloud_event import MalformedRecord, read_record


class Continuity:
    """Of one projection in one topic, in one process."""

    def __init__(self, remedy: str) -> None:
        self._remedy = remedy
        self._points: dict[int, StartingPoint] = {}
        self._next: dict[int, int] = {}

    def begin(self, points: Mapping[TopicPartition, StartingPoint]) -> None:
        """Reading of these partitions starts anew, at `seek_offset`."""
        self._points.update({tp.partition: point for tp, point in points.items()})
        self._next.update({tp.partition: point.next_offset for tp, point in points.items()})

    def next_offsets(self, partitions: Collection[int]) -> dict[int, int]:
        """Where these partitions go on; reading begins up to one record before it."""
        return {partition: self._next[partition] for partition in partitions}

    def new(self, records: Sequence[Record], placed: Collection[int]) -> list[Record]:
        """Those of placed partitions; the others are delivered again after the next seek. Without those from
        before the starting point. Raises `LogDiffers`.
        """
        found = []
        for record in records:
            partition = record.partition
            if partition not in placed:
                continue
            expected = self._next.get(partition, 0)
            if record.offset >= expected:
                self._next[partition] = record.offset + 1
                found.append(record)
            elif record.offset == self._points[partition].witness_offset:
                self._check_witness(record, self._points[partition])
            else:
                raise LogDiffers(
                    f"{record.topic}[{partition}] goes on at offset {record.offset}, the projection is at "
                    f"{expected}: the topic was lost or created again. {self._remedy}"
                )
        return found

    def _check_witness(self, record: Record, point: StartingPoint) -> None:
        try:
            event, log_id, _ = read_record(record.key, record.value, record.headers)
        except MalformedRecord:
            return
        if log_id == point.log_id and event.log_position > (point.log_position or 0):
            raise LogDiffers(
                f"{record.topic}[{record.partition}] has position {event.log_position} at offset "
                f"{record.offset}, the projection has applied {point.log_position} there: the topic was "
                f"created again. {self._remedy}"
            )
