"""The states of products whose streams have become long, kept in this process.

Otherwise a command for a product with 10,000 price changes would read and fold 10,000 events. With its state
at a known event, the command reads only the events after it. No command decides on an old state: each load
asks the log for what came since, and the append names the version.
"""

from collections import OrderedDict
from functools import reduce
from typing import NamedTuple
from uuid import UUID

from command_api.domain.product import Product, evolve
from command_api.executing.ports import EventStore, Stream, StreamPlace

KNOWN_EVENTS_MIN = 32
"""A shorter stream is read about as fast as its last event, and would take the place of a long one."""


class _Known(NamedTuple):
    place: StreamPlace
    product: Product


class KnownProducts:
    """Loads products, and keeps the `products_max` last used states with `events_min` events or more."""

    def __init__(self, *, products_max: int, events_min: int = KNOWN_EVENTS_MIN) -> None:
        self._products_max = products_max
        self._events_min = events_min
        self._known: OrderedDict[UUID, _Known] = OrderedDict()

    async def load(self, store: EventStore, product_id: UUID) -> tuple[Stream, Product | None]:
        """The stream, and its state. Raises what `EventStore.load` raises."""
        known = self._known.get(product_id)
        stream = await store.load(product_id, known.place if known else None)
        is_continued = known is not None and stream.after_version == known.place.stream_version
        before = known.product if known is not None and is_continued else None
        product = reduce(evolve, stream.events, before)
        self._keep(product_id, stream, product)
        return stream, product

    def _keep(self, product_id: UUID, stream: Stream, product: Product | None) -> None:
        self._known.pop(product_id, None)
        if stream.place is None or product is None or stream.stream_version < self._events_min:
            return
        self._known[product_id] = _Known(stream.place, product)
        if len(self._known) > self._products_max:
            self._known.popitem(last=False)
