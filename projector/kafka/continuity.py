"""Notices records that were passed over, and a topic that was lost and made again while it is read, or while
the projection was away.

Kafka tells a client nothing about a topic that was made again. A client whose offset is no longer there goes
on at the first record, silently; and in a topic that was filled again, the same offset may be a later record,
with events before it that were never delivered. So delivered offsets must never go back; and reading starts
one record early, at the record that the checkpoint is about: its event must not be newer than the checkpoint
says.

Nor may they pass over offsets: a record that was lost on its way through this process would be missing in the
view for ever, because the checkpoint goes past it. Kafka has offsets without records, too (the markers of
transactions); whether these are some is seen by reading them once more, from the checkpoint.
"""

from collections.abc import Collection, Mapping, Sequence

from aiokafka import TopicPartition

from projector.errors import LogDiffers, PassedOver
from projector.kafka.records import Record
from projector.kafka.starting_points import StartingPoint
from shared.kafka.cloud_event import MalformedRecord, read_record

Passed = tuple[int, int]
"""Offsets that were passed over: the expected one, and the one that came."""


class Continuity:
    """Of one projection in one topic, in one process."""

    def __init__(self, remedy: str) -> None:
        self._remedy = remedy
        self._points: dict[int, StartingPoint] = {}
        self._next: dict[int, int] = {}
        self._passed_over: dict[int, set[Passed]] = {}

    def begin(self, points: Mapping[TopicPartition, StartingPoint]) -> None:
        """Reading of these partitions starts anew, at `seek_offset`."""
        for tp, point in points.items():
            self._points[tp.partition] = point
            self._next[tp.partition] = point.next_offset
            known = self._passed_over.get(tp.partition, set())
            self._passed_over[tp.partition] = {one for one in known if one[1] > point.next_offset}

    def next_offsets(self, partitions: Collection[int]) -> dict[int, int]:
        """Where these partitions go on; reading begins up to one record before it."""
        return {partition: self._next[partition] for partition in partitions}

    def new(self, records: Sequence[Record], placed: Collection[int]) -> list[Record]:
        """Those of placed partitions; the others are delivered again after the next seek. Without those from
        before the starting point. Raises `LogDiffers`, or `PassedOver` if they are to be read once more.
        """
        found, passed_over = [], ""
        for record in records:
            partition = record.partition
            if partition not in placed:
                continue
            expected = self._next.get(partition, 0)
            if record.offset >= expected:
                if record.offset > expected and self._is_passed_over(partition, (expected, record.offset)):
                    passed_over = passed_over or _goes_on(record, expected)
                self._next[partition] = record.offset + 1
                found.append(record)
            elif record.offset == self._points[partition].witness_offset:
                self._check_witness(record, self._points[partition])
            else:
                raise LogDiffers(
                    f"{_goes_on(record, expected)}: the topic was lost or created again. {self._remedy}"
                )
        if passed_over:
            raise PassedOver(passed_over)
        return found

    def _is_passed_over(self, partition: int, offsets: Passed) -> bool:
        """Not if it is known that they have no records."""
        known = self._passed_over.setdefault(partition, set())
        if offsets in known:
            return False
        known.add(offsets)
        return True

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


def _goes_on(record: Record, expected: int) -> str:
    at = f"{record.topic}[{record.partition}]"
    return f"{at} goes on at offset {record.offset}, the projection is at {expected}"
