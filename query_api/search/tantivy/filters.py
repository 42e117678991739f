"""The filters of a search as queries of tantivy, each under the name of the facet that must ignore it."""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from math import inf
from typing import NamedTuple

import tantivy

from query_api.search.counts import PRICE
from query_api.search.query import AttributeFilter, SearchFilters
from query_api.search.tantivy import schema as s
from query_api.search.tantivy.index import Snapshot
from shared.search import entry

Filter = tuple[str, tantivy.Query]
"""The name of a facet, or of a filter that no facet is about; and what has to match."""
OTHER = ""
_HEX_MAX = "f" * 16
_ALTERNATIVES_MAX = 16


def filters_of(filters: SearchFilters, snapshot: Snapshot) -> list[Filter]:
    """All filters but the text. Those of the status come first, so there is always one."""
    return list(_filters(filters, snapshot))


def for_page(filters: SearchFilters, found: Sequence[Filter], snapshot: Snapshot) -> list[Filter]:
    """The same filters for what needs no facet, and fewer: each takes time for each product."""
    brand, category = filters.brand, filters.category
    # A price has a currency.
    implied = {s.CURRENCY} if any(name == PRICE for name, _ in found) else set()
    both: list[Filter] = []
    if brand is not None and category is not None:
        implied |= {s.BRAND, s.CATEGORY}
        both.append((s.BRAND_IN_CATEGORY, _brand_in_category(brand, category, snapshot)))
    return [*(each for each in found if each[0] not in implied), *both]


def _brand_in_category(brand: str, category: str, snapshot: Snapshot) -> tantivy.Query:
    value = s.brand_in_category(brand, category)
    return tantivy.Query.term_query(snapshot.schema, s.BRAND_IN_CATEGORY, value, "basic")


class LookedAt(NamedTuple):
    """How many products tantivy looks at, about, and which: those with this value, or all of them."""

    products: int
    field: str | None = None
    value: str | None = None


NONE_LOOKED_AT = LookedAt(0)
"""Of searches that find their few products by something else."""


def looked_at(filters: SearchFilters, snapshot: Snapshot) -> LookedAt:
    """Those that the narrowest of the filters leaves."""
    if filters.text is not None or filters.sku is not None or filters.product_ids is not None:
        return NONE_LOOKED_AT
    brand, category = filters.brand, filters.category
    both = None if brand is None or category is None else s.brand_in_category(brand, category)
    values = ((s.BRAND_IN_CATEGORY, both), (s.CATEGORY, category), (s.BRAND, brand), (s.TAG, filters.tag))
    searcher = snapshot.searcher
    found = [
        LookedAt(searcher.doc_freq(field, each), field, each) for field, each in values if each is not None
    ]
    return min([LookedAt(searcher.num_docs), *found], key=lambda one: one.products)


def all_of(queries: list[tantivy.Query]) -> tantivy.Query:
    """Matches what all of them match."""
    if len(queries) == 1:
        return queries[0]
    return tantivy.Query.boolean_query([(tantivy.Occur.Must, query) for query in queries])


def any_of(queries: list[tantivy.Query]) -> tantivy.Query:
    """Matches what one of them matches."""
    if len(queries) == 1:
        return queries[0]
    return tantivy.Query.boolean_query([(tantivy.Occur.Should, query) for query in queries])


def one_of(snapshot: Snapshot, field: str, values: Sequence[str]) -> tantivy.Query:
    """Matches what has one of these values. A set of terms reads the postings of all of them before the first
    match, a few alternatives only as far as the other filters need them.
    """
    if len(values) > _ALTERNATIVES_MAX:
        return tantivy.Query.term_set_query(snapshot.schema, field, list(values))
    terms = [tantivy.Query.term_query(snapshot.schema, field, value, "basic") for value in values]
    return any_of(terms) if terms else tantivy.Query.empty_query()


def range_of(snapshot: Snapshot, field: str, lowest: str, highest: str) -> tantivy.Query:
    """From `lowest` to `highest`, both included. They are hexadecimal after a currency: nothing to escape."""
    return snapshot.parsed(f"{field}:[{lowest} TO {highest}]", field)


def _filters(filters: SearchFilters, snapshot: Snapshot) -> Iterator[Filter]:
    schema = snapshot.schema

    def term(field: str, value: str) -> tantivy.Query:
        return tantivy.Query.term_query(schema, field, value, "basic")

    yield "status", one_of(snapshot, s.STATUS, filters.statuses)
    for facet, field, value in (
        ("category", s.CATEGORY, filters.category),
        ("brand", s.BRAND, filters.brand),
        ("tag", s.TAG, filters.tag),
        (OTHER, s.EXACT_SKU, filters.sku),
        (s.CURRENCY, s.CURRENCY, filters.currency),
    ):
        if value is not None:
            yield facet, term(field, value)
    if filters.product_ids is not None:
        ids = [product_id.hex for product_id in filters.product_ids]
        yield OTHER, tantivy.Query.term_set_query(schema, s.PRODUCT, ids)
    if filters.updated_after is not None:
        yield (
            OTHER,
            snapshot.parsed(f"{s.UPDATED_AT}:>{entry.time_bound_key(filters.updated_after)}", s.UPDATED_AT),
        )
    if filters.currency is not None and (filters.price_min is not None or filters.price_max is not None):
        yield PRICE, _price(filters.currency, filters.price_min, filters.price_max, snapshot)
    for attribute in filters.attributes:
        yield f"attr.{attribute.name}", _attribute(attribute, snapshot)


def _price(
    currency: str, lowest: Decimal | None, highest: Decimal | None, snapshot: Snapshot
) -> tantivy.Query:
    """Some variant's price. Without a lowest one that is the cheapest price, which is compared in a third of
    the time: each product has one, and it is a number.
    """
    code = currency.lower()
    most = code + _HEX_MAX if highest is None else entry.price_key(currency, f"{highest:f}")
    if lowest is None:
        cheapest = s.start_of(s.by_price(currency))
        return tantivy.Query.range_query(
            snapshot.schema, cheapest, tantivy.FieldType.Unsigned, None, int(most[len(code) :], 16)
        )
    return range_of(snapshot, s.PRICE, entry.price_key(currency, f"{lowest:f}"), most)


def _attribute(wanted: AttributeFilter, snapshot: Snapshot) -> tantivy.Query:
    """A value is compared as text, number and boolean: a query string does not tell which is meant."""
    if wanted.value is None:
        lowest = -inf if wanted.lowest is None else wanted.lowest
        highest = inf if wanted.highest is None else wanted.highest
        return range_of(
            snapshot, s.NUMBER, entry.number_key(wanted.name, lowest), entry.number_key(wanted.name, highest)
        )
    return one_of(snapshot, s.ATTRIBUTE, entry.facts_like(wanted.name, wanted.value))
