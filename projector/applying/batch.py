"""A batch as Kafka gave it, sorted by product and measured by partition."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any
from uuid import UUID

from projector.applying.ports import Checkpoint, Held
from projector.applying.records import Delivered, Unreadable
from projector.errors import LogDiffers, LogLacksVersions

Item = Delivered | Unreadable
NOTHING: Any = Held(0, None)


def by_product(batch: Sequence[Item]) -> tuple[dict[UUID, list[Delivered]], list[Unreadable]]:
    """Each product's events in stream order (a redelivery may bring v3 before v1), and what is no event."""
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
    """Per partition where the batch ends; dropped duplicates and parked records move the checkpoint too."""
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
    """Whether these, in order, leave a version out above what is held."""
    version = held_version
    for delivered in deliveries:
        stream_version = delivered.event.stream_version
        if stream_version > version + 1:
            return True
        version = max(version, stream_version)
    return False


class NewestPositions:
    """By partition the newest log position so far. Kafka has a partition's events in their log's order, so
    that one which is no newer is a repetition. 0: nothing is known yet, and all counts as new.
    """

    def __init__(self) -> None:
        self._positions: dict[int, int] = {}

    def begin(self, partitions: Collection[int], position: int) -> None:
        """Here all of the log up to this position may have been delivered before."""
        self._positions.update(dict.fromkeys(partitions, position))

    def have(self, delivered: Delivered) -> bool:
        """Whether this is a repetition."""
        return delivered.event.log_position <= self._positions.get(delivered.partition, 0)

    def reached(self, points: Mapping[int, Checkpoint]) -> None:
        """A batch is done."""
        for partition, point in points.items():
            self._positions[partition] = max(self._positions.get(partition, 0), point.log_position)


def refuse_other_logs(unreadable: Sequence[Unreadable]) -> None:
    """Raises `LogDiffers`: no single bad record, but a topic or a store that is not the one we follow."""
    for one in unreadable:
        if one.error_class == "other-log":
            raise LogDiffers(f"{one.record.topic}[{one.partition}]@{one.offset}: {one.cause}")


def is_behind(item: Item, lacking: LogLacksVersions) -> bool:
    """Whether it has to wait because its partition stops before it."""
    return item.partition == lacking.partition and item.offset >= lacking.offset


def positions(products: Mapping[UUID, Sequence[Delivered]]) -> int:
    """The highest log position among these events; 0 without any."""
    return max((one.event.log_position for some in products.values() for one in some), default=0)
