"""Which node has which slot, as the nodes told it last.

See https://redis.io/docs/latest/operate/oss_and_stack/reference/cluster-spec/ for slots and redirections.
"""

from collections.abc import Sequence
from typing import Any

from redis.crc import REDIS_CLUSTER_HASH_SLOTS, key_slot

from shared.redis.address import Place

_SCRIPTS = ("EVALSHA", "EVAL")
SlotRanges = tuple[tuple[int, int, Place], ...]
"""First slot, last slot, and their primary."""


def slot_of(key: str | bytes) -> int:
    """0 to 16383; of the part in braces, if there is one."""
    return key_slot(key.encode() if isinstance(key, str) else key)


def slot_of_command(command: Sequence[Any]) -> int:
    """By its first key; the caller sees to it that all are in one slot. Raises `ValueError` without a key."""
    at = 3 if command[0] in _SCRIPTS else 1
    if len(command) <= at or " " in command[0]:
        raise ValueError(f"{command[0]} has no key, so no node of a cluster is the right one")
    return slot_of(command[at])


def ranges_of(answer: Sequence[Any], asked: Place) -> SlotRanges:
    """The answer to CLUSTER SLOTS. A node that does not know its own host has the one it was asked at."""
    return tuple(
        sorted(
            (int(first), int(last), told_place(primary[0], primary[1], asked))
            for first, last, primary, *_ in answer
        )
    )


def told_place(host: bytes | str | None, port: int, asked: Place) -> Place:
    """As nodes name each other; no host means the one that was asked."""
    name = host.decode() if isinstance(host, bytes) else host
    return Place(name if name and name != "?" else asked.host, int(port))


class SlotMap:
    """Slot -> place of its primary, or None if no node has the slot."""

    def __init__(self) -> None:
        self._places: list[Place | None] = [None] * REDIS_CLUSTER_HASH_SLOTS

    def get(self, slot: int) -> Place | None:
        """Whose it was when last heard of."""
        return self._places[slot]

    def primaries(self) -> set[Place]:
        """All that have slots."""
        return {place for place in self._places if place is not None}

    def replace(self, ranges: SlotRanges) -> bool:
        """Returns whether anything has changed."""
        places: list[Place | None] = [None] * REDIS_CLUSTER_HASH_SLOTS
        for first, last, place in ranges:
            places[first : last + 1] = [place] * (last + 1 - first)
        has_changed, self._places = places != self._places, places
        return has_changed

    def move(self, slot: int, place: Place) -> bool:
        """Returns whether that is news."""
        has_changed, self._places[slot] = self._places[slot] != place, place
        return has_changed
