"""Folds whole products from the beginning of the log: the first pass of a rebuild.

Rows come in log order, so a product's events are in stream order and each state is held until the end; a
rebuild takes the products in slices that fit into memory.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Generic, NamedTuple
from uuid import UUID

from projector.applying.ports import Change, Fold, S
from projector.applying.records import ErrorClass
from projector.applying.stream_fold import CannotApply, apply_one
from projector.errors import CannotGoOn
from shared.contract.recorded_event import EventMetadata, RecordedEvent

LogRow = tuple[int, bytes, int, str, int, bytes, datetime]
"""Position, product id as 16 bytes (the cheapest key), stream version, event type, schema version,
data, recorded at.
"""

# No fold uses it, and without it a fifth less is read.
_NO_METADATA = EventMetadata(UUID(int=0), "")


class Failed(NamedTuple):
    """Where a product's history does not fold; the product keeps the state before it."""

    stream_version: int
    error_class: ErrorClass
    cause: str


class _Product(Generic[S]):
    """How far one product is. `last` is its newest state that was not None."""

    __slots__ = ("last", "log_position", "product_id", "state", "stream_version")

    def __init__(self, product_id: UUID) -> None:
        self.product_id = product_id
        self.state: S | None = None
        self.last: S | None = None
        self.stream_version = 0
        self.log_position = 0


class BulkFold(Generic[S]):
    """The products of one slice."""

    def __init__(self, fold: Fold[S]) -> None:
        self._fold = fold
        self.failures: dict[UUID, Failed] = {}
        self._products: dict[bytes, _Product[S]] = {}

    def feed(self, rows: Sequence[LogRow]) -> None:
        """The next rows of the log. Raises `CannotGoOn` at a hole in a stream."""
        fold, products, used = self._fold, self._products, self._fold.event_types
        for position, key, version, event_type, schema_version, data, recorded_at in rows:
            product = products.get(key)
            if product is None:
                product = products[key] = _Product(UUID(bytes=key))
            if version != product.stream_version + 1:
                if product.product_id in self.failures:
                    continue
                raise CannotGoOn(
                    f"the log lacks version {product.stream_version + 1} of product {product.product_id}"
                )
            event = RecordedEvent(
                position,
                product.product_id,
                version,
                event_type,
                schema_version,
                data,
                _NO_METADATA,
                recorded_at,
            )
            if event_type in used:
                try:
                    product.state = apply_one(fold, product.state, event)
                except CannotApply as error:
                    self.failures[product.product_id] = Failed(version, error.error_class, str(error))
                    continue
            elif product.state is not None:
                product.state = fold.skip(product.state, event)
            if product.state is not None:
                product.last = product.state
            product.stream_version, product.log_position = version, position

    def changes(self) -> Iterator[Change[S]]:
        """The change of each product from nothing to its state; none for products with only unknown types."""
        for one in self._products.values():
            if one.last is not None:
                yield Change(one.product_id, one.stream_version, one.log_position, None, one.state, one.last)
