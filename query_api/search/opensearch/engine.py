"""Answers searches from OpenSearch: mostly with one request, with three more where a word is corrected."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple
from uuid import UUID

from query_api.search.corrected import Corrected, matching_values
from query_api.search.counts import BRAND, CATEGORIES_MAX, CATEGORY
from query_api.search.opensearch.corrections import are_known, correct, may_be_corrected
from query_api.search.opensearch.facets import SHARD_VALUES_MAX, facets_of, split
from query_api.search.opensearch.queries import (
    all_of,
    any_of,
    by_tier,
    filters_of,
    matching,
    phrases_in,
    score_of,
    status_is,
)
from query_api.search.opensearch.searches import Searches
from query_api.search.query import (
    TIERS,
    FacetValue,
    Found,
    Hit,
    HitPosition,
    SearchFilters,
    SearchQuery,
    Suggestions,
    TextQuery,
)
from shared.search.entry import id_of_key
from shared.search.opensearch import mapping as m

_NO_TIER = 0
_SUGGESTED = ((BRAND, m.BRAND, "brand_words"), (CATEGORY, m.CATEGORY, m.CATEGORY_WORDS))


class _Order(NamedTuple):
    field: str
    is_descending: bool
    by_tier: bool

    def sort(self) -> list[Mapping[str, str]]:
        """The order of hits."""
        key = {self.field: "desc" if self.is_descending else "asc"}
        return [{"_score": "desc"}, key] if self.by_tier else [key]

    def after(self, position: HitPosition) -> list[Any]:
        """The sort values of the last hit."""
        return [score_of(position.tier), position.key] if self.by_tier else [position.key]

    def hit(self, found: Mapping[str, Any]) -> Hit:
        """One hit of an answer."""
        key = found["sort"][-1]
        product_id: UUID = id_of_key(key, is_inverted=self.field == m.BY_TIME)
        version = int(found["fields"][m.VERSION][0])
        if not self.by_tier:
            return Hit(product_id, version, HitPosition(_NO_TIER, key))
        tier = len(TIERS) - round(found["sort"][0])
        return Hit(product_id, version, HitPosition(tier, key), TIERS[tier])


class OpenSearchEngine:
    """Implements `SearchEngine`."""

    def __init__(self, searches: Searches) -> None:
        self._searches = searches

    @property
    def mark(self) -> object | None:
        """Nobody tells this process of changes."""
        return None

    async def search(self, query: SearchQuery) -> Found:
        text = query.filters.text
        async with self._searches.turn():
            answer = await self._searches.ask(_page(query, text))
            used = await self._corrected(text, query.filters.statuses, answer)
            if used is not None and used.text is not None:
                answer = await self._searches.ask(_page(query, used.query))
        order = _order(query.filters)
        return Found(
            [order.hit(one) for one in _hits(answer)],
            answer["hits"]["total"]["value"] if query.with_total else None,
            facets_of(query, answer["aggregations"]) if query.facets else None,
            None if used is None else used.text,
        )

    async def suggest(self, text: TextQuery, *, statuses: Sequence[str], items_max: int) -> Suggestions:
        filters = SearchFilters(statuses=tuple(statuses), text=text, sort="relevance")
        query = SearchQuery(filters, None, items_max)
        async with self._searches.turn():
            answer = await self._searches.ask(_suggested(query, text))
            used = await self._corrected(text, statuses, answer) or Corrected(text, None)
            if used.text is not None:
                answer = await self._searches.ask(_suggested(query, used.query))
        brands, categories = (_values(answer, name, used.query, items_max) for name, _, _ in _SUGGESTED)
        order = _order(filters)
        return Suggestions([order.hit(one) for one in _hits(answer)], brands, categories, used.text)

    async def _corrected(
        self, text: TextQuery | None, statuses: Sequence[str], answer: Mapping[str, Any]
    ) -> Corrected | None:
        if text is None or not may_be_corrected(text) or are_known(text, _hits(answer)):
            return None
        return await correct(text, statuses, self._searches)


def _page(query: SearchQuery, text: TextQuery | None) -> dict[str, Any]:
    """The body of the request for a page with its counts."""
    order = _order(query.filters)
    parts = split(query, filters_of(query.filters))
    asked: dict[str, Any] = {"filter": parts.query}
    if text is not None:
        asked["must" if order.by_tier else "filter"] = (
            [by_tier(text)] if order.by_tier else [*parts.query, matching(text)]
        )
    body: dict[str, Any] = {
        "size": query.hits_max,
        "_source": False,
        "stored_fields": "_none_",
        "docvalue_fields": [m.VERSION],
        "track_total_hits": query.with_total,
        "query": {"bool": asked},
        "sort": order.sort(),
    }
    if parts.page:
        body["post_filter"] = all_of(parts.page)
    if parts.counts:
        body["aggs"] = parts.counts
    if query.after is not None:
        body["search_after"] = order.after(query.after)
    return body


def _suggested(query: SearchQuery, text: TextQuery) -> dict[str, Any]:
    """Products, and beside them the brands and categories whose own words the text matches."""
    status = status_is(query.filters.statuses)
    values = {
        name: {
            "filter": all_of(
                [status, *(any_of(list(phrases_in(words, one.phrases))) for one in text.required)]
            ),
            "aggs": {
                "values": {"terms": {"field": field, "size": CATEGORIES_MAX, "shard_size": SHARD_VALUES_MAX}}
            },
        }
        for name, field, words in _SUGGESTED
    }
    # `global`: they need not match as products.
    return {**_page(query, text), "aggs": {"all": {"global": {}, "aggs": values}}}


def _values(answer: Mapping[str, Any], name: str, text: TextQuery, items_max: int) -> Sequence[FacetValue]:
    if not text.required:
        return ()
    buckets = answer["aggregations"]["all"][name]["values"]["buckets"]
    return matching_values(text, {one["key"]: one["doc_count"] for one in buckets}, items_max)


def _hits(answer: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    hits: Sequence[Mapping[str, Any]] = answer["hits"]["hits"]
    return hits


def _order(filters: SearchFilters) -> _Order:
    is_descending = filters.sort.startswith("-")
    match filters.sort.removeprefix("-"):
        case "name":
            return _Order(m.BY_NAME, is_descending, by_tier=False)
        case "price":
            assert filters.currency is not None, "an order by price needs a currency"
            return _Order(m.by_price(filters.currency), is_descending, by_tier=False)
        case "id":
            return _Order(m.PRODUCT, is_descending, by_tier=False)
        case "updated_at":
            return _Order(m.BY_TIME, is_descending, by_tier=False)
        case _:
            return _Order(m.BY_RANK, is_descending, by_tier=filters.text is not None)
