"""The use cases of prices over time: how they changed, and the lowest one in a number of days.

The lowest price is the one that the EU asks for with each announced reduction (Directive 98/6/EC, article 6a:
"the lowest price applied by the trader during a period of time not shorter than 30 days prior to the
application of the price reduction").
"""

from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from msgspec import Struct

from query_api.consistency.visibility import Consistency
from query_api.cursors import Cursors
from query_api.errors import BadParameter, PriceNotFound
from query_api.history.prices import LowestPrice, LowestPrices, PriceFilter, PricePoint, price_points
from query_api.history.reader import Reader
from query_api.history.streams import Streams

VERSIONS_PER_PAGE = 1000


class PriceQuery(Struct, frozen=True, kw_only=True, tag=True):
    """The prices of one product."""

    product_id: UUID
    sku: str | None = None
    currency: str | None = None

    @property
    def filter(self) -> PriceFilter:
        return PriceFilter(self.sku, self.currency)


class PricePosition(NamedTuple):
    """The end of a page: the version of its last point, and the SKU; None: all of this version are told."""

    stream_version: int
    sku: str | None


class PricePage(NamedTuple):
    """Points, newest first; those of one version by SKU."""

    points: list[PricePoint]
    next_cursor: str | None


class PriceHistory:
    """Raises `ProductNotFound`, `BadParameter`, or `Unavailable` if the log cannot answer."""

    def __init__(self, streams: Streams, cursors: Cursors[PricePosition], *, events_max: int) -> None:
        self._streams = streams
        self._cursors = cursors
        self._events_max = events_max

    async def page(
        self,
        query: PriceQuery,
        cursor: str | None,
        limit: int,
        reader: Reader,
        consistency: Consistency | None,
    ) -> PricePage:
        """Up to `limit` points of the next versions; a page may have none, and another one after it."""
        after = None if cursor is None else self._cursors.decode(cursor, query)
        stream = await self._streams.find(query.product_id, reader, consistency)
        highest = stream.newest_version
        if after is not None:
            highest = min(after.stream_version - (after.sku is None), highest)
        if not highest:
            return PricePage([], None)
        lowest = max(1, highest - VERSIONS_PER_PAGE + 1)
        points: list[PricePoint] = []
        async for step in self._streams.steps(stream, lowest, highest):
            points += price_points(step, reader.seen(step.before), reader.seen(step.after), query.filter)
        points = [one for one in points if after is None or _is_after(one, after)]
        points.sort(key=lambda one: (-one.stream_version, one.sku))
        position = PricePosition(lowest, None)
        if len(points) > limit:
            points = points[:limit]
            position = PricePosition(points[-1].stream_version, points[-1].sku)
        is_last = position == (1, None)
        return PricePage(points, None if is_last else self._cursors.encode(position, query))

    async def lowest(
        self,
        query: PriceQuery,
        times: tuple[datetime, datetime | None],
        reader: Reader,
        consistency: Consistency | None,
    ) -> LowestPrice:
        """The lowest price from a time until just before another one, or until now (None).

        Raises `PriceNotFound` if the product was not for sale at such a price.
        """
        begins, ends = times
        stream = await self._streams.find(query.product_id, reader, consistency)
        first = await self._streams.version_at(stream, begins)
        last = stream.newest_version if ends is None else await self._streams.version_at(stream, ends)
        if last - first > self._events_max:
            text = f"there are {last - first} events in these days, and {self._events_max} can be read"
            raise BadParameter("days", f"{text}: ask for fewer days", "too-many-events")
        prices = LowestPrices(begins, query.filter)
        if last:
            async for step in self._streams.steps(stream, max(1, first), last):
                if step.event.stream_version == first:
                    prices.begin(step.after)
                else:
                    prices.add(step)
        lowest = prices.lowest(ends)
        if lowest is None:
            raise PriceNotFound("the product was not for sale at such a price in these days")
        return lowest


def days_before(now: datetime, before: datetime | None, days: int) -> tuple[datetime, datetime | None]:
    """The times of `lowest`. Raises `BadParameter` if there are no such days."""
    try:
        return (before or now) - timedelta(days), before
    except OverflowError as error:
        raise BadParameter("before", "is out of range") from error


def _is_after(point: PricePoint, position: PricePosition) -> bool:
    if position.sku is None or point.stream_version < position.stream_version:
        return point.stream_version < position.stream_version
    return point.stream_version == position.stream_version and point.sku > position.sku
