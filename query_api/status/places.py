"""Where one product is on its way: which projections have its newest event, the cache, and the topics.

The log is asked first, so that what is said of the projections is at least as new.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import NamedTuple
from uuid import UUID

from query_api.errors import CacheUnavailable, ProductNotFound
from query_api.status.ports import ProductPlaces, ProjectionPlace, StreamPlace, StreamPlaces
from shared.contract.cached_document import unpack

Glance = Callable[[str], Awaitable[bytes | None]]
"""What the cache has for a product id. Raises `CacheUnavailable`. Is not counted as a read."""


class AppliedPlace(NamedTuple):
    """One projection. `version` None: it keeps none of the product, or none at all."""

    projection: str
    has_applied: bool
    position: int
    is_parked: bool
    version: int | None


class CachePlace(NamedTuple):
    """`version` None: the cache has no document of it."""

    version: int | None


class ProductWay(NamedTuple):
    """`cache` None: it cannot be asked. `state_version` is what `products-state` has; None: nothing."""

    stream: StreamPlace
    projections: Sequence[AppliedPlace]
    cache: CachePlace | None
    state_version: int | None

    @property
    def is_published(self) -> bool:
        """Whether the relay has passed its newest event."""
        return self.stream.relay_position >= self.stream.log_position


class TellPlaces:
    """The use case. `cache_projection` fills the cache that `glance` asks."""

    def __init__(
        self, streams: StreamPlaces, projections: ProductPlaces, glance: Glance, *, cache_projection: str
    ) -> None:
        self._streams = streams
        self._projections = projections
        self._glance = glance
        self._cache_projection = cache_projection

    async def of(self, product_id: UUID) -> ProductWay:
        """Raises `ProductNotFound` if it has no events, and `Unavailable`."""
        stream = await self._streams.place(product_id)
        if stream is None:
            raise ProductNotFound
        found = await self._projections.places(product_id)
        cache = await self._cached(product_id)
        cached_version = None if cache is None else cache.version
        places = [
            one._replace(version=cached_version) if one.projection == self._cache_projection else one
            for one in found.projections
        ]
        return ProductWay(stream, [applied(one, stream) for one in places], cache, found.state_version)

    async def _cached(self, product_id: UUID) -> CachePlace | None:
        try:
            value = await self._glance(str(product_id))
        except CacheUnavailable:
            return None
        try:
            version = None if value is None else unpack(value).stream_version
        except ValueError:  # of another release
            return CachePlace(None)
        # Version 0 says that there was no such product.
        return CachePlace(version or None)


def applied(place: ProjectionPlace, stream: StreamPlace) -> AppliedPlace:
    """By the version that the projection keeps; else by how far it is in the product's partition."""
    if place.version is not None:
        has_applied = place.version >= stream.stream_version
    else:
        has_applied = place.log_position >= stream.log_position
    return AppliedPlace(
        place.projection,
        has_applied and not place.is_parked,
        place.log_position,
        place.is_parked,
        place.version,
    )
