"""Whether a product that has changed since the index found it still belongs on the page.

An item comes from the cache or the table, and may be newer than what the index has. A list by brand must not
show a product that has another brand now. Only changed products are compared: the version of a hit tells.
The comparison is that of the engines, on the same texts, so that both agree.
"""

from collections.abc import Iterator

from msgspec import structs

from query_api.search.query import AttributeFilter, SearchFilters
from shared.contract.views import decode_document
from shared.search.entry import Entry, entry_of, facts_like, number_key, price_key, time_bound_key


def meets(body: bytes, filters: SearchFilters) -> bool:
    """Whether this document meets all filters; a text is not looked for again."""
    document = decode_document(body)
    if filters.product_ids is not None and document.id not in filters.product_ids:
        return False
    # A description may be long, and no filter is about it.
    entry = entry_of(structs.replace(document, description=None))
    return all(_answers(entry, filters))


def _answers(entry: Entry, filters: SearchFilters) -> Iterator[bool]:
    yield entry.status in filters.statuses
    yield filters.category is None or filters.category in entry.categories
    yield filters.brand is None or filters.brand == entry.brand
    yield filters.tag is None or filters.tag in entry.tags
    yield filters.sku is None or filters.sku in entry.variant_skus
    after = filters.updated_after
    yield after is None or entry.updated_at > time_bound_key(after)
    yield _has_price(entry, filters)
    for attribute in filters.attributes:
        yield _has(entry, attribute)


def _has_price(entry: Entry, filters: SearchFilters) -> bool:
    currency = filters.currency
    if currency is None:
        return True
    lowest, highest = filters.price_min, filters.price_max
    low = None if lowest is None else price_key(currency, f"{lowest:f}")
    high = None if highest is None else price_key(currency, f"{highest:f}")
    return any(
        (low is None or price >= low) and (high is None or price <= high)
        for price in entry.prices
        if price.startswith(currency.lower())
    )


def _has(entry: Entry, wanted: AttributeFilter) -> bool:
    if wanted.value is not None:
        return not set(entry.attributes).isdisjoint(facts_like(wanted.name, wanted.value))
    lowest = number_key(wanted.name, float("-inf") if wanted.lowest is None else wanted.lowest)
    highest = number_key(wanted.name, float("inf") if wanted.highest is None else wanted.highest)
    return any(lowest <= number <= highest for number in entry.numbers)
