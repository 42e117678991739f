"""The values of a facet from their counts, the same for every engine."""

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal

from query_api.search.query import FacetRange, FacetValue, SearchQuery
from shared.contract.money import minor_units
from shared.search.entry import counted_value, facts_like, value_of_counted, value_of_fact
from shared.search.price_ranges import SCALE, price_range

VALUES_MAX = 100
"""How many values a facet has, besides the chosen one."""
CATEGORIES_MAX = 2_000
BRAND, CATEGORY, TAG, STATUS, PRICE = "brand", "category", "tag", "status", "price"
_ATTRIBUTE = "attr."


def attribute_of(facet: str) -> str | None:
    """The name of the attribute that a facet counts; None: it counts something else."""
    return facet.removeprefix(_ATTRIBUTE) if facet.startswith(_ATTRIBUTE) else None


def values_max(facet: str) -> int:
    """How many values a facet has, besides the chosen one."""
    return CATEGORIES_MAX if facet == CATEGORY else VALUES_MAX


def facet_values(
    facet: str,
    stored: Mapping[str, int],
    query: SearchQuery,
    count: Callable[[str], int] | None = None,
) -> Sequence[FacetValue]:
    """The most frequent values, equal ones by name, and the chosen one, even if its count is 0.

    `stored`: products by value as it is stored. `count`: of a value that may have been cut from it.
    """
    is_attribute = attribute_of(facet) is not None
    products = {value_of_counted(each) if is_attribute else each: number for each, number in stored.items()}
    ordered = sorted(products, key=lambda value: (-products[value], value))
    shown = ordered[: values_max(facet)]
    missing = [value for value in _chosen(facet, query) if value not in shown]
    if count is not None:
        products |= {value: count(value) for value in missing}
    return [FacetValue(value, products.get(value, 0)) for value in (*shown, *missing)]


def chosen_as_stored(facet: str, query: SearchQuery) -> Sequence[str]:
    """What the filter on the same thing looks for, as it is counted."""
    name = attribute_of(facet)
    chosen = _chosen(facet, query)
    return chosen if name is None else [counted_value(name, value) for value in chosen]


def facet_ranges(stored: Mapping[str, int], currency: str | None) -> Sequence[FacetRange]:
    """In the order of prices. The last price of a range is the smallest amount below the next one."""
    assert currency is not None, "counts of prices need a currency"
    numbers = sorted((int(key[len(currency) :]), count) for key, count in stored.items())
    return [_range(number, count, currency) for number, count in numbers]


def _chosen(facet: str, query: SearchQuery) -> Sequence[str]:
    filters = query.filters
    name = attribute_of(facet)
    if name is not None:
        return [value_of_fact(facts_like(name, value)[-1]) for value in _wanted(name, query)]
    if facet == STATUS:
        return [status for status in filters.statuses if status in query.visible_statuses]
    value = {BRAND: filters.brand, CATEGORY: filters.category, TAG: filters.tag}[facet]
    return () if value is None else (value,)


def _wanted(attribute: str, query: SearchQuery) -> Sequence[str]:
    return [
        each.value for each in query.filters.attributes if each.name == attribute and each.value is not None
    ]


def _range(number: int, count: int, currency: str) -> FacetRange:
    lowest, below = price_range(number)
    smallest = Decimal(1).scaleb(-minor_units(currency))
    highest = None if below is None else (Decimal(below) / SCALE - smallest).quantize(smallest)
    return FacetRange((Decimal(lowest) / SCALE).quantize(smallest), highest, count)
