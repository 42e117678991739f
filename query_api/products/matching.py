"""Which variants of a product a search is about: those whose SKU the text names, else those of the price."""

from collections.abc import Callable, Sequence
from decimal import Decimal

import msgspec
from msgspec import Struct

from query_api.search.query import SearchFilters
from shared.contract.money import as_decimal
from shared.search.words import folded


class _Price(Struct):
    amount: str
    currency: str


class _Variant(Struct):
    sku: str
    price: _Price


class _Variants(Struct):
    variants: tuple[_Variant, ...]


_variants = msgspec.json.Decoder(_Variants)


class VariantMatch:
    """For one search. A search that names neither SKU nor price is about no variant in particular."""

    def __init__(self, filters: SearchFilters) -> None:
        self._is_named = _named(filters)
        self._is_priced = _priced(filters)

    def skus(self, body: bytes) -> Sequence[str]:
        """The SKUs in the order of the document."""
        variants = _variants.decode(body).variants
        named = [one.sku for one in variants if self._is_named(one)]
        if named or self._is_priced is None:
            return named
        return [one.sku for one in variants if self._is_priced(one)]


def _named(filters: SearchFilters) -> Callable[[_Variant], bool]:
    text = filters.text
    skus = {filters.sku} - {None}
    given = set() if text is None else {text.whole, *(clause.sku for clause in text.required)}
    return lambda variant: variant.sku in skus or folded(variant.sku) in given


def _priced(filters: SearchFilters) -> Callable[[_Variant], bool] | None:
    currency, lowest, highest = filters.currency, filters.price_min, filters.price_max
    if currency is None:
        return None
    low = Decimal(0) if lowest is None else lowest
    return lambda variant: (
        variant.price.currency == currency
        and low <= as_decimal(variant.price.amount)
        and (highest is None or as_decimal(variant.price.amount) <= highest)
    )
