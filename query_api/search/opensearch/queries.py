"""Queries in OpenSearch's language: what a text finds in each tier, and the filters.

A tier's score is a whole number, the best one the highest, and a product gets that of its best tier. So the
order is the score, then the key: one request has a page, also over the end of a tier.
"""

from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from math import inf
from typing import Any

from query_api.search.counts import BRAND, CATEGORY, PRICE, STATUS, TAG
from query_api.search.query import TIERS, AttributeFilter, Clause, Phrase, SearchFilters, TextQuery
from shared.search import entry
from shared.search.opensearch import mapping as m
from shared.search.words import phrase as as_text

Query = dict[str, Any]
Filter = tuple[str, Query]
"""The name of a facet, or of a filter that no facet is about; and what has to match."""
OTHER = ""
WORDS = "words"
"""The name of the query that matches where all words do, and not the whole text as a SKU."""
SKU_PREFIX_CHARACTERS_MIN = 3
LAST_TIER = len(TIERS) - 1
_EXPANSIONS_MAX = 200
"""For the end of a phrase that is longer than what the index has beginnings of: few words begin so."""
_HEX_MIN, _HEX_MAX = "0" * 16, "f" * 16


def all_of(queries: Sequence[Query]) -> Query:
    """Matches what all of them match."""
    return queries[0] if len(queries) == 1 else {"bool": {"filter": list(queries)}}


def any_of(queries: Sequence[Query]) -> Query:
    """Matches what one of them matches; nothing, if there is none."""
    if not queries:
        return {"match_none": {}}
    return queries[0] if len(queries) == 1 else {"bool": {"should": list(queries)}}


def term(field: str, value: str) -> Query:
    """The field has this value, or this word."""
    return {"term": {field: value}}


def terms(field: str, values: Iterable[str]) -> Query:
    """The field has one of these."""
    return {"terms": {field: list(values)}}


def status_is(statuses: Iterable[str]) -> Query:
    """What is deleted has none."""
    return terms(m.STATUS, statuses)


def score_of(tier: int) -> int:
    """As a sort value."""
    return len(TIERS) - tier


def matching(text: TextQuery) -> Query:
    """All that the text finds."""
    return _without_excluded(text, _up_to(text, LAST_TIER))


def by_tier(text: TextQuery) -> Query:
    """The same, with the tier as score."""
    first = 0 if text.required else LAST_TIER
    scored = [
        {"constant_score": {"filter": _up_to(text, tier), "boost": score_of(tier)}}
        for tier in range(first, len(TIERS))
    ]
    return _without_excluded(text, {"dis_max": {"queries": scored}})


def phrases_in(field: str, phrases: Sequence[Phrase]) -> Iterator[Query]:
    """One of the phrases in this field. Single words are one query, however many there are."""
    words = [each.words[0] for each in phrases if len(each.words) == 1 and not each.is_prefix]
    if words:
        yield terms(field, words)
    for each in phrases:
        if len(each.words) == 1:
            if each.is_prefix:
                yield {"prefix": {field: each.words[0]}}
        elif each.is_prefix:
            value = {"query": as_text(each.words), "max_expansions": _EXPANSIONS_MAX}
            yield {"match_phrase_prefix": {field: value}}
        else:
            yield {"match_phrase": {field: as_text(each.words)}}


def _up_to(text: TextQuery, tier: int) -> Query:
    if not text.required:
        # A text that only excludes finds all others, in the last tier.
        return {"match_all": {}}
    words: Query = {"bool": {"filter": [_clause(clause, tier) for clause in text.required]}}
    if tier == LAST_TIER:
        words["bool"]["_name"] = WORDS
    return any_of([term(m.SKU, text.whole), words])


def _without_excluded(text: TextQuery, query: Query) -> Query:
    excluded = [_clause(clause, LAST_TIER) for clause in text.excluded]
    return {"bool": {"must": [query], "must_not": excluded}} if excluded else query


def _clause(clause: Clause, tier: int) -> Query:
    queries = [term(m.SKU, clause.sku)] if clause.sku else []
    for field in m.TEXT_FIELDS[:tier]:
        queries += phrases_in(field, clause.phrases)
    if tier == LAST_TIER and clause.phrases[0].is_prefix and clause.sku:
        queries += _sku_prefix(clause.sku)
    return any_of(queries)


def _sku_prefix(sku: str) -> Sequence[Query]:
    return [] if len(sku) < SKU_PREFIX_CHARACTERS_MIN else [{"prefix": {m.SKU: sku}}]


def filters_of(filters: SearchFilters) -> list[Filter]:
    """All filters but the text. That of the status comes first, so there is always one."""
    return list(_filters(filters))


def _filters(filters: SearchFilters) -> Iterator[Filter]:
    yield STATUS, status_is(filters.statuses)
    for facet, field, value in (
        (CATEGORY, m.CATEGORY, filters.category),
        (BRAND, m.BRAND, filters.brand),
        (TAG, m.TAG, filters.tag),
        (OTHER, m.EXACT_SKU, filters.sku),
        (OTHER, m.CURRENCY, filters.currency),
    ):
        if value is not None:
            yield facet, term(field, value)
    if filters.product_ids is not None:
        yield OTHER, terms(m.PRODUCT, (product_id.hex for product_id in filters.product_ids))
    if filters.updated_after is not None:
        after = entry.time_bound_key(filters.updated_after)
        yield OTHER, {"range": {m.UPDATED_AT: {"gt": after}}}
    if filters.currency is not None and (filters.price_min is not None or filters.price_max is not None):
        yield PRICE, _price(filters.currency, filters.price_min, filters.price_max)
    for attribute in filters.attributes:
        yield f"attr.{attribute.name}", _attribute(attribute)


def _price(currency: str, lowest: Decimal | None, highest: Decimal | None) -> Query:
    code = currency.lower()
    return _range(
        m.PRICE,
        code + _HEX_MIN if lowest is None else entry.price_key(currency, f"{lowest:f}"),
        code + _HEX_MAX if highest is None else entry.price_key(currency, f"{highest:f}"),
    )


def _attribute(wanted: AttributeFilter) -> Query:
    """A value is compared as text, number and boolean: a query string does not tell which is meant."""
    if wanted.value is not None:
        return terms(m.ATTRIBUTE, entry.facts_like(wanted.name, wanted.value))
    lowest = -inf if wanted.lowest is None else wanted.lowest
    highest = inf if wanted.highest is None else wanted.highest
    return _range(m.NUMBER, entry.number_key(wanted.name, lowest), entry.number_key(wanted.name, highest))


def _range(field: str, lowest: str, highest: str) -> Query:
    return {"range": {field: {"gte": lowest, "lte": highest}}}
