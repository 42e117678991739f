"""Compares two generations of the cache: documents of the same version must have the same bytes.

The live generation may lack evicted documents and be a moment ahead or behind; such products are counted and
left out. A document that both have at the same version must not differ.
"""

import hashlib
from collections.abc import AsyncIterator, Callable, Collection, Iterable
from uuid import UUID

from projector.rebuild.difference import REBUILT, difference
from projector.rebuild.ports import Comparison
from projector.rebuild.redis.cache_check import fields
from projector.views.product_cache.redis.documents import CachedProducts
from shared.contract.cached_document import VERSION_DIGITS

ProductIds = Callable[[int], AsyncIterator[Iterable[UUID]]]
"""All products of the log, in pages; the argument is the number of products in a page."""

_PRODUCTS_PER_PAGE = 1_000
_DIFFERENCES_SHOWN_MAX = 20


async def compare(
    product_ids: ProductIds, live: CachedProducts, shadow: CachedProducts, without: Collection[UUID]
) -> Comparison:
    """Raises `Unavailable`."""
    rows = left_out = different = 0
    checksum = hashlib.sha256()
    differences: list[str] = []
    async for ids in product_ids(_PRODUCTS_PER_PAGE):
        page = list(ids)
        pairs = zip(page, await live.values(page), await shadow.values(page), strict=True)
        for product_id, one, other in pairs:
            if product_id in without or one is None or other is None or _version(one) != _version(other):
                left_out += 1
                continue
            rows += 1
            checksum.update(one)
            if one != other:
                different += 1
                if len(differences) < _DIFFERENCES_SHOWN_MAX:
                    text = difference(fields(one), fields(other), REBUILT)
                    differences.append(f"{product_id} at version {int(_version(one))}: {text}")
    if different:
        more = different - len(differences)
        differences.insert(0, f"{different} documents differ")
        if more:
            differences.append(f"and {more} more")
    return Comparison(rows, checksum.hexdigest()[:32], differences, left_out)


def _version(value: bytes) -> bytes:
    return value[:VERSION_DIGITS]
