"""What a process of the protocol asks of one shard: each is one call, and one transaction there.

An adapter (`memory_shards`, `postgres_shards`) executes them. `Lost` is thrown into a process whose call got
no answer: the call was executed, is executed later, or never.
"""

import zlib
from dataclasses import dataclass
from typing import NamedTuple
from uuid import UUID

from shared.contract.addresses import partition_of

SHARDS = 2
PARTITIONS = 12


class Lost(Exception):
    """No answer: nobody knows whether the call was executed, or will be."""


class Event(NamedTuple):
    """An event, reduced to what it says about names. `given`: slugs and SKUs that the product has from now
    on; `taken`: those that it no longer has. `claim`: the attempt that wrote it; `key`: its command.
    `position`: only where a log is looked at as a whole.
    """

    kind: str
    given: tuple[str, ...]
    taken: tuple[str, ...]
    claim: str
    key: str
    position: int = 0


class Stream(NamedTuple):
    """A product's events in order, and the position of the last one (0: none)."""

    events: tuple[Event, ...]
    last_position: int


class Row(NamedTuple):
    """The row of a name on its shard. Pending until the claim is confirmed, then held."""

    product_id: UUID
    claim: str
    is_held: bool


class Claimed(NamedTuple):
    """`floor`: the events of the claim must have positions above it."""

    floor: int


class Appended(NamedTuple):
    """The events are in the log; `position` is that of the last one."""

    position: int


class Refused(NamedTuple):
    """Nothing was written: `conflict`, `fenced` or `duplicate`."""

    reason: str


@dataclass(frozen=True, slots=True)
class ReadName:
    """-> Row or None."""

    name: str


@dataclass(frozen=True, slots=True)
class Claim:
    """Make the name pending, if nobody has it, or if the same product holds it. -> Claimed, or the Row of who
    has it.
    """

    name: str
    product_id: UUID
    claim: str


@dataclass(frozen=True, slots=True)
class Confirm:
    """Pending by this claim -> held. -> whether it was pending by it."""

    name: str
    claim: str


@dataclass(frozen=True, slots=True)
class Free:
    """Delete the row if it is still that of this claim, in this state. -> whether it was. `position`: the
    newest of the product that had the name; later claims get a floor that is not below it.
    """

    name: str
    claim: str
    is_held: bool
    position: int


@dataclass(frozen=True, slots=True)
class Load:
    """-> Stream."""

    product_id: UUID


@dataclass(frozen=True, slots=True)
class Append:
    """-> Appended or Refused. With a `claim` it is refused after `FenceClaim`, and leaves an open claim."""

    product_id: UUID
    expected_version: int
    events: tuple[Event, ...]
    key: str
    claim: str | None
    floor: int


@dataclass(frozen=True, slots=True)
class FenceClaim:
    """From now on the product's shard accepts no append with this claim; one that was stays. -> None."""

    product_id: UUID
    claim: str


@dataclass(frozen=True, slots=True)
class DropOpenClaim:
    """Its names are settled. -> None."""

    product_id: UUID
    claim: str


@dataclass(frozen=True, slots=True)
class ReadOpenClaims:
    """The appended claims of a shard that nobody has dropped. -> tuple of (claim, product id)."""

    shard: int


@dataclass(frozen=True, slots=True)
class ReadPendingNames:
    """-> tuple of names, in order."""

    shard: int


@dataclass(frozen=True, slots=True)
class FindKey:
    """Whether a command with this key has been written on this shard. -> bool."""

    shard: int
    key: str


@dataclass(frozen=True, slots=True)
class Answered:
    """Not a call: the client gets its answer here, or `unknown` while it waits for one. -> None."""

    key: str
    answer: str
    about: str = ""


Call = (
    ReadName | Claim | Confirm | Free | Load | Append | FenceClaim | DropOpenClaim | ReadOpenClaims
    | ReadPendingNames | FindKey
)  # fmt: skip
Operation = Call | Answered


def shard_of_product(product_id: UUID) -> int:
    """By its Kafka partition, so that a partition has the events of one shard only."""
    return partition_of(product_id, PARTITIONS) % SHARDS


def shard_of_text(text: str) -> int:
    """Of a name or an idempotency key: by a hash of its own."""
    return zlib.crc32(text.encode()) % SHARDS


def shard_of(call: Call) -> int:
    """Where it is executed."""
    if isinstance(call, ReadOpenClaims | ReadPendingNames | FindKey):
        return call.shard
    if isinstance(call, ReadName | Claim | Confirm | Free):
        return shard_of_text(call.name)
    return shard_of_product(call.product_id)
