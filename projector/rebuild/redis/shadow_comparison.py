"""Compares two generations of the cache: documents of the same version must have the same bytes.

The live generation may lack evicted documents and be a moment ahead or behind; such products are counted and
left out. A document that both have at the same version must not differ.
"""

from collections.abc import Collection
from functools import partial
from uuid import UUID

from projector.rebuild.compared_documents import ComparedDocuments, ProductIds
from projector.rebuild.difference import REBUILT, difference
from projector.rebuild.ports import Comparison
from projector.rebuild.redis.cache_check import fields
from projector.views.product_cache.redis.documents import CachedProducts
from shared.contract.cached_document import VERSION_DIGITS

_PRODUCTS_PER_PAGE = 1_000


async def compare(
    product_ids: ProductIds, live: CachedProducts, shadow: CachedProducts, without: Collection[UUID]
) -> Comparison:
    """Raises `Unavailable`."""
    compared = ComparedDocuments()
    async for ids in product_ids(_PRODUCTS_PER_PAGE):
        page = list(ids)
        pairs = zip(page, await live.values(page), await shadow.values(page), strict=True)
        for product_id, one, other in pairs:
            if product_id in without or one is None or other is None or _version(one) != _version(other):
                compared.leave_out()
                continue
            compared.add(one, None if one == other else partial(_difference, product_id, one, other))
    return compared.result()


def _difference(product_id: UUID, one: bytes, other: bytes) -> str:
    return f"{product_id} at version {int(_version(one))}: {difference(fields(one), fields(other), REBUILT)}"


def _version(value: bytes) -> bytes:
    return value[:VERSION_DIGITS]
