"""Compares the shadow with the live search index, document by document.

The live one goes on meanwhile. So a product with an event that one of them need not have yet is left out;
every other one must be in both, with the same content.
"""

import hashlib
from collections.abc import AsyncIterator, Callable, Collection, Iterable, Mapping
from uuid import UUID

import msgspec

from projector.rebuild.difference import REBUILT, difference
from projector.rebuild.ports import Comparison
from projector.views.search_index.opensearch.answers import Stored
from projector.views.search_index.opensearch.documents import IndexedProducts, fields

ProductIds = Callable[[int], AsyncIterator[Iterable[UUID]]]
"""All products of the log, in pages; the argument is the number of products in a page."""

_PRODUCTS_PER_PAGE = 500
_DIFFERENCES_SHOWN_MAX = 20


class _Place(msgspec.Struct):
    log_position: int
    partition: int


_place = msgspec.json.Decoder(_Place)


async def compare(
    product_ids: ProductIds,
    live: IndexedProducts,
    shadow: IndexedProducts,
    reached: Mapping[int, int],
    without: Collection[UUID],
) -> Comparison:
    """`reached`: the log position of each partition up to which both have it. Raises `Unavailable`."""
    rows = left_out = different = 0
    checksum = hashlib.sha256()
    differences: list[str] = []
    async for ids in product_ids(_PRODUCTS_PER_PAGE):
        page = list(ids)
        ours, theirs = await live.stored(page), await shadow.stored(page)
        for product_id in page:
            one, other = ours.get(product_id), theirs.get(product_id)
            if product_id in without or not _is_due(one, other, reached):
                left_out += 1
                continue
            rows += 1
            checksum.update(product_id.bytes if one is None else one.source)
            if _content(one) != _content(other):
                different += 1
                if len(differences) < _DIFFERENCES_SHOWN_MAX:
                    text = difference(_content(one), _content(other), REBUILT)
                    differences.append(f"{product_id}: {text}")
    if different:
        differences.insert(0, f"{different} documents differ")
        if more := different - len(differences) + 1:
            differences.append(f"and {more} more")
    return Comparison(rows, checksum.hexdigest()[:32], differences, left_out)


def _is_due(one: Stored | None, other: Stored | None, reached: Mapping[int, int]) -> bool:
    """Whether both must have it, with the same events."""
    places = [_place.decode(stored.source) for stored in (one, other) if stored is not None]
    return bool(places) and all(place.log_position <= reached.get(place.partition, 0) for place in places)


def _content(stored: Stored | None) -> dict[str, object] | None:
    return None if stored is None else fields(stored.source)
