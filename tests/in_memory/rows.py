"""The rows of one projection in a read model in memory, and what a transaction does to them, step by step."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from uuid import UUID

from projector.applying.dead_letters import Action, DeadLetter, ProductDeadLetter, StoredDeadLetter
from projector.applying.ports import Change, Checkpoint, Held, S
from projector.applying.records import ErrorClass


class KeptRecord(NamedTuple):
    """A parked record, why it is parked, and whether the dead-letter topic has it."""

    record: StoredDeadLetter
    cause: str
    is_copied: bool = False


class KeptProduct(NamedTuple):
    """A parked product; `attempts` to apply its first parked event."""

    topic: str
    partition: int
    error_class: ErrorClass
    cause: str
    events: int
    attempts: int = 1


class Done(NamedTuple):
    """What an operator did, and to which records."""

    action: Action
    product_id: UUID | None
    detail: str


@dataclass
class Rows:
    """Of one projection."""

    checkpoints: dict[tuple[str, int], Checkpoint] = field(default_factory=dict)
    held: dict[UUID, Held[Any]] = field(default_factory=dict)
    records: dict[int, KeptRecord] = field(default_factory=dict)
    products: dict[UUID, KeptProduct] = field(default_factory=dict)
    orders: dict[tuple[str, int, int], str] = field(default_factory=dict)
    done: list[Done] = field(default_factory=list)

    def copied(self) -> "Rows":
        """So that steps can be done to it alone."""
        return Rows(
            dict(self.checkpoints), dict(self.held), dict(self.records), dict(self.products),
            dict(self.orders), list(self.done),
        )  # fmt: skip


Step = Callable[[Rows], None]


def saving(changes: Sequence[Change[S]], kept: Callable[[S], S]) -> Step:
    """Write them; a row that is as new or newer stays."""

    def step(rows: Rows) -> None:
        for change in changes:
            there = rows.held.get(change.product_id)
            if there is None or there.stream_version < change.stream_version:
                state = None if change.after is None else kept(change.after)
                rows.held[change.product_id] = Held(change.stream_version, state)

    return step


def parking(number: int, dead_letter: DeadLetter) -> Step:
    """Keep a record under this number; one that is there already stays as it is."""
    record, event = dead_letter.record, dead_letter.event
    parked = StoredDeadLetter(
        number,
        dead_letter.event.product_id if isinstance(dead_letter, ProductDeadLetter) else None,
        None if event is None else event.stream_version,
        None if event is None else event.metadata.event_id,
        dead_letter.error_class,
        record.topic, record.partition, record.offset, record.timestamp, record.key, record.value,
        tuple(record.headers),
    )  # fmt: skip
    at = (record.topic, record.partition, record.offset)

    def step(rows: Rows) -> None:
        places = ((one.topic, one.partition, one.offset) for one, _, _ in rows.records.values())
        if at in places:
            return
        rows.records[number] = KeptRecord(parked, dead_letter.cause)
        if parked.product_id is not None:
            first = KeptProduct(record.topic, record.partition, dead_letter.error_class, dead_letter.cause, 0)
            product = rows.products.get(parked.product_id, first)
            rows.products[parked.product_id] = product._replace(events=product.events + 1)

    return step


def releasing(events: Sequence[StoredDeadLetter], action: Action) -> Step:
    """Forget them, and their product with the last of its records."""
    product_id = events[0].product_id
    detail = ", ".join(f"{one.topic}[{one.partition}]@{one.offset}" for one in events)

    def step(rows: Rows) -> None:
        for event in events:
            rows.records.pop(event.dead_letter_id, None)
        rows.done.append(Done(action, product_id, detail))
        if product_id not in rows.products:
            return
        left = sum(one.record.product_id == product_id for one in rows.records.values())
        rows.products[product_id] = rows.products[product_id]._replace(events=left)
        if not left:
            del rows.products[product_id]

    return step


def failing_again(product_id: UUID, error_class: ErrorClass, cause: str) -> Step:
    """Another attempt at a product has failed."""

    def step(rows: Rows) -> None:
        product = rows.products.get(product_id)
        if product is not None:
            rows.products[product_id] = product._replace(
                error_class=error_class, cause=cause, attempts=product.attempts + 1
            )

    return step


def failing_alone(dead_letter_id: int, error_class: ErrorClass, cause: str) -> Step:
    """Another attempt at a single record has failed."""

    def step(rows: Rows) -> None:
        found = rows.records.get(dead_letter_id)
        if found is not None:
            record = found.record._replace(error_class=error_class)
            rows.records[dead_letter_id] = found._replace(record=record, cause=cause)

    return step
