"""Compares the shadow with the live search index, document by document.

The live one goes on meanwhile. So a product with an event that one of them need not have yet is left out;
every other one must be in both, with the same content.
"""

from collections.abc import Collection, Mapping
from functools import partial
from uuid import UUID

import msgspec

from projector.rebuild.compared_documents import ComparedDocuments, ProductIds
from projector.rebuild.difference import REBUILT, difference
from projector.rebuild.ports import Comparison
from projector.views.search_index.opensearch.answers import Stored
from projector.views.search_index.opensearch.documents import IndexedProducts, fields

_PRODUCTS_PER_PAGE = 500


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
    compared = ComparedDocuments()
    async for ids in product_ids(_PRODUCTS_PER_PAGE):
        page = list(ids)
        ours, theirs = await live.stored(page), await shadow.stored(page)
        for product_id in page:
            one, other = ours.get(product_id), theirs.get(product_id)
            if product_id in without or not _is_due(one, other, reached):
                compared.leave_out()
                continue
            is_equal = _content(one) == _content(other)
            found = None if is_equal else partial(_difference, product_id, one, other)
            compared.add(product_id.bytes if one is None else one.source, found)
    return compared.result()


def _is_due(one: Stored | None, other: Stored | None, reached: Mapping[int, int]) -> bool:
    """Whether both must have it, with the same events."""
    places = [_place.decode(stored.source) for stored in (one, other) if stored is not None]
    return bool(places) and all(place.log_position <= reached.get(place.partition, 0) for place in places)


def _content(stored: Stored | None) -> dict[str, object] | None:
    return None if stored is None else fields(stored.source)


def _difference(product_id: UUID, one: Stored | None, other: Stored | None) -> str:
    return f"{product_id}: {difference(_content(one), _content(other), REBUILT)}"
