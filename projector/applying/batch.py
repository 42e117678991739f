"""A batch from Kafka: its events by product, and its ends by partition."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any
from uuid import UUID

from projector.applying.ports import Checkpoint, Held
from projector.applying.records import Delivered, Unreadable
from projector.errors import LogDiffers, LogLacksVersions

Item = Delivered | Unreadable
NOTHING: Any = Held(0, None)


def by_product(batch: Sequence[Item]) -> tuple[dict[UUID, list[Delivered]], list[Unreadable]]:
    """Each product's events in stream order (a redelivery may bring v3 before v1), and unreadable records."""
    products: dict[UUID, list[Delivered]] = {}
    unreadable: list[Unreadable] = []
    for item in batch:
        if isinstance(item, Delivered):
            products.setdefault(item.event.product_id, []).append(item)
        else:
            unreadable.append(item)
    for deliveries in products.values():
        if len(deliveries) > 1:
            deliveries.sort(key=lambda one: one.event.stream_version)
    return products, unreadable


def reached(batch: Sequence[Item]) -> dict[int, Checkpoint]:
    """The checkpoint of each partition after the batch; duplicates and parked records move it, too."""
    ends: dict[int, Checkpoint] = {}
    for item in batch:
        partition, offset = item.partition, item.offset
        position = item.event.log_position if isinstance(item, Delivered) else 0
        so_far = ends.get(partition)
        if so_far is None:
            ends[partition] = Checkpoint(offset + 1, position, item.log_id)
        elif offset >= so_far.next_offset or position > so_far.log_position:
            ends[partition] = Checkpoint(
                max(offset + 1, so_far.next_offset), max(position, so_far.log_position), item.log_id
            )
    return ends


def has_gap(deliveries: Sequence[Delivered], held_version: int) -> bool:
    """Whether a version is missing between the stored one and these, which are in order."""
    version = held_version
    for delivered in deliveries:
        stream_version = delivered.event.stream_version
        if stream_version > version + 1:
            return True
        version = max(version, stream_version)
    return False


class NewestPositions:
    """By partition the newest log position so far. Kafka has a partition's events in their log's order, so
    an event that is not newer is a duplicate. 0: nothing is known yet, and every event counts as new.
    """

    def __init__(self) -> None:
        self._positions: dict[int, int] = {}

    def begin(self, partitions: Collection[int], position: int) -> None:
        """In these partitions, events up to this position may have been delivered before."""
        self._positions.update(dict.fromkeys(partitions, position))

    def have(self, delivered: Delivered) -> bool:
        """Whether this is a duplicate."""
        return delivered.event.log_position <= self._positions.get(delivered.partition, 0)

    def reached(self, points: Mapping[int, Checkpoint]) -> None:
        """A batch is applied up to these checkpoints."""
        for partition, point in points.items():
            self._positions[partition] = max(self._positions.get(partition, 0), point.log_position)


def refuse_other_logs(unreadable: Sequence[Unreadable]) -> None:
    """Raises `LogDiffers`: this is not one bad record, but the topic or the store of another log."""
    for one in unreadable:
        if one.error_class == "other-log":
            raise LogDiffers(f"{one.record.topic}[{one.partition}]@{one.offset}: {one.cause}")


def is_behind(item: Item, lacking: LogLacksVersions) -> bool:
    """Whether its partition stops before it."""
    return item.partition == lacking.partition and item.offset >= lacking.offset


def positions(products: Mapping[UUID, Sequence[Delivered]]) -> int:
    """The highest log position of these events; 0 without events."""
    return max((one.event.log_position for some in products.values() for one in some), default=0)
