"""The states of products in this process, so that a command need not read a stream of events.

A command decides on the state that the last one left (`latest`), and names its version and the session of the
store: another process's append, or a log that was restored, refuses it, and it decides again on what it loads
(Equinox calls it a cache with resync on conflict). A load needs only the events after the known one (`load`).
"""

from collections import OrderedDict
from functools import reduce
from typing import NamedTuple
from uuid import UUID

import msgspec

from command_api.domain.product import Product, evolve
from command_api.executing.ports import EventStore, Session, Stream, StreamPlace

KNOWN_EVENTS_MIN = 32
"""A shorter stream that was only loaded is not kept: it is read about as fast as its last event."""


class _Known(NamedTuple):
    """`session`: of the store when the product was at this place; None: not known, so only good for loads."""

    place: StreamPlace
    product: Product
    size_bytes: int
    session: Session | None


class KnownProducts:
    """Keeps the `products_max` last used states, at most `bytes_max` of encoded JSON. In memory a state takes
    three to five times its JSON.
    """

    def __init__(
        self, *, products_max: int, bytes_max: int = 16 * 1024 * 1024, events_min: int = KNOWN_EVENTS_MIN
    ) -> None:
        self._products_max = products_max
        self._bytes_max = bytes_max
        self._events_min = events_min
        self._known: OrderedDict[UUID, _Known] = OrderedDict()
        self._size_bytes = 0

    async def load(self, store: EventStore, product_id: UUID) -> tuple[Stream, Product | None]:
        """The stream, and its state. Raises what `EventStore.load` raises."""
        known = self._known.get(product_id)
        stream = await store.load(product_id, known.place if known else None)
        is_continued = known is not None and stream.after_version == known.place.stream_version
        before = known.product if known is not None and is_continued else None
        product = reduce(evolve, stream.events, before)
        self.forget(product_id)
        if stream.place is not None and product is not None and stream.stream_version >= self._events_min:
            self._keep(product_id, _Known(stream.place, product, len(msgspec.json.encode(product)), None))
        return stream, product

    def latest(self, product_id: UUID, session: Session | None) -> tuple[Stream, Product] | None:
        """The state after the last append of this process; None without one in this session of the store."""
        known = self._known.get(product_id)
        if known is None or session is None or known.session != session:
            return None
        self._known.move_to_end(product_id)
        place = known.place
        version = place.stream_version
        return Stream(version, place.position, (), version, place), known.product

    def appended(
        self, product_id: UUID, place: StreamPlace, product: Product, size_bytes: int, session: Session | None
    ) -> None:
        """The product is at this place now, if the store still has the session that it had before."""
        self.forget(product_id)
        self._keep(product_id, _Known(place, product, size_bytes, session))

    def forget(self, product_id: UUID) -> None:
        """Another process has changed the product, or may have."""
        known = self._known.pop(product_id, None)
        if known is not None:
            self._size_bytes -= known.size_bytes

    def _keep(self, product_id: UUID, known: _Known) -> None:
        self._known[product_id] = known
        self._size_bytes += known.size_bytes
        while len(self._known) > self._products_max or self._size_bytes > self._bytes_max:
            _, oldest = self._known.popitem(last=False)
            self._size_bytes -= oldest.size_bytes
