"""Folds whole products from the beginning of the log: the first pass of a rebuild.

Rows come in log order, so a product's events are in stream order and each state is held until the end; a
rebuild takes the products in slices that fit into memory.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Generic, NamedTuple
from uuid import UUID

from projector.errors import CannotGoOn
from projector.ports import Change, ErrorClass, Fold, S
from projector.stream_fold import CannotApply, apply_one
from shared.contract.recorded_event import EventMetadata, RecordedEvent

LogRow = tuple[int, UUID, int, str, int, bytes, datetime]
"""Position, product id, stream version, event type, schema version, data, recorded at."""

# No fold looks at it, and leaving it in the log saves a fifth of what is read.
_NO_METADATA = EventMetadata(UUID(int=0), "")


class Failed(NamedTuple):
    """Where a product's history stopped to fold; its state is the one before."""

    stream_version: int
    error_class: ErrorClass
    cause: str


class BulkFold(Generic[S]):
    """The products of one slice."""

    def __init__(self, fold: Fold[S]) -> None:
        self._fold = fold
        self.failures: dict[UUID, Failed] = {}
        # product id -> (state, what it was last, stream version, log position)
        self._states: dict[UUID, tuple[S | None, S | None, int, int]] = {}

    def feed(self, rows: Sequence[LogRow]) -> None:
        """The next rows of the log. Raises `CannotGoOn` at a hole in a stream."""
        fold, states, failures = self._fold, self._states, self.failures
        used = fold.event_types
        for position, product_id, version, event_type, schema_version, data, recorded_at in rows:
            state, last, before, _ = states.get(product_id, (None, None, 0, 0))
            if version != before + 1:
                if product_id in failures:
                    continue
                raise CannotGoOn(f"the log lacks version {before + 1} of product {product_id}")
            event = RecordedEvent(
                position, product_id, version, event_type, schema_version, data, _NO_METADATA, recorded_at
            )
            if event_type in used:
                try:
                    state = apply_one(fold, state, event)
                except CannotApply as error:
                    failures[product_id] = Failed(version, error.error_class, str(error))
                    continue
            elif state is not None:
                state = fold.pass_over(state, event)
            states[product_id] = (state, last if state is None else state, version, position)

    def changes(self) -> Iterator[Change[S]]:
        """From nothing to each product's state; of products that were nothing but unknown types, none."""
        for product_id, (state, last, version, position) in self._states.items():
            if last is not None:
                yield Change(product_id, version, position, None, state, last)
