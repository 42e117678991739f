"""What a text in a search box may become: products by name, brands and categories with counts.

Only active products count, whoever asks: suggestions are for customers.
"""

from typing import Any

import msgspec
from msgspec import Struct

from query_api.consistency.visibility import Consistency
from query_api.products.documents import HitDocuments
from query_api.products.visible_rows import is_active
from query_api.search.ports import SearchEngine, SearchProgress
from query_api.search.query import FacetValue, TextQuery

_STATUSES = ("active",)
_encode = msgspec.json.Encoder().encode


class _Shown(Struct):
    """The part of a document that a search box shows."""

    id: str
    slug: str
    name: str
    brand: str | None


_shown = msgspec.json.Decoder(_Shown)


class SuggestProducts:
    """The use case. Raises `Unavailable`."""

    def __init__(self, engine: SearchEngine, progress: SearchProgress, documents: HitDocuments) -> None:
        self._engine = engine
        self._progress = progress
        self._documents = documents

    async def of(self, text: TextQuery, items_max: int, consistency: Consistency | None) -> bytes:
        """The JSON body, with up to `items_max` of each kind."""
        if consistency is not None:
            await self._progress.reach(consistency.token, consistency.wait_seconds)
        found = await self._engine.suggest(text, statuses=_STATUSES, items_max=items_max)
        documents = await self._documents.of(found.products, consistency)
        rows = (documents.rows.get(hit.product_id) for hit in found.products)
        return _encode(
            {
                "products": [
                    _shown.decode(row.body) for row in rows if row and row.body and is_active(row.body)
                ],
                "brands": [_value(one) for one in found.brands],
                "categories": [_value(one) for one in found.categories],
                "corrected": found.corrected,
            }
        )


def _value(one: FacetValue) -> dict[str, Any]:
    return {"value": one.value, "count": one.products}
