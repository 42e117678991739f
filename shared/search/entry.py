"""A product as a search engine stores it: its words, the values to filter and count by, and its sort keys.

Values are texts whose order as texts is the order that is meant, so that each engine needs texts alone: a new
attribute or currency needs no new column, and no new index.
"""

import hashlib
import struct
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from math import isfinite
from typing import Any, NamedTuple
from uuid import UUID

from shared.contract.events import Variant
from shared.contract.views import ProductDocument
from shared.search.price_ranges import range_of
from shared.search.words import folded, without_markup, words_of

SCHEME = 1
"""Increase it if an entry of the same product changes: then each index is built again."""
TEXT_CHARACTERS_MAX = 1_000
"""The rest of a longer attribute value does not count."""
_ID_DIGITS = 32
_ID_ONES = (1 << 128) - 1
_SIGN = 1 << 63
_ALL = (1 << 64) - 1
_MINOR_DIGITS = 4
_NAME_BYTES = 8
_NAME_DIGITS = 2 * _NAME_BYTES
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Entry(NamedTuple):
    """One product. Words are in the order of their text; the order of other lists means nothing."""

    stream_version: int
    status: str
    skus: Sequence[str]
    name: Sequence[str]
    brand_words: Sequence[str]
    tag_words: Sequence[Sequence[str]]
    description: Sequence[str]
    brand: str | None
    tags: Sequence[str]
    categories: Sequence[str]
    category_words: Sequence[Sequence[str]]
    attributes: Sequence[str]
    numbers: Sequence[str]
    currencies: Sequence[str]
    prices: Sequence[str]
    price_ranges: Sequence[str]
    variant_skus: Sequence[str]
    updated_at: str
    sort_keys: "SortKeys"


class SortKeys(NamedTuple):
    """Each ends with the id, so that no two products have the same. `cheapest` is by currency."""

    rank: str
    name: str
    updated_at: str
    product_id: str
    cheapest: dict[str, str]


def entry_of(document: ProductDocument) -> Entry:
    """The entry of a product that is not deleted."""
    attributes = list(document.attributes.items())
    categories = list(_with_ancestors(document.category))
    return Entry(
        stream_version=document.version,
        status=document.status,
        skus=[folded(variant.sku) for variant in document.variants],
        name=words_of(document.name),
        brand_words=words_of(document.brand or ""),
        tag_words=[words_of(tag) for tag in document.tags],
        description=words_of(without_markup(document.description or "")),
        brand=document.brand,
        tags=document.tags,
        categories=categories,
        category_words=[words_of(path) for path in categories],
        attributes=[value for name, given in attributes for value in _facts(name, given)],
        numbers=[
            number_key(name, one) for name, given in attributes for one in _scalars(given) if _is_number(one)
        ],
        currencies=sorted({variant.price.currency for variant in document.variants}),
        prices=[price_key(variant.price.currency, variant.price.amount) for variant in document.variants],
        price_ranges=sorted({_range_key(variant) for variant in document.variants}),
        variant_skus=[variant.sku for variant in document.variants],
        updated_at=time_key(document.updated_at),
        sort_keys=_sort_keys(document),
    )


def text_fact(name: str, value: str) -> str:
    """How the attribute `name` with this text is stored; `true` and `false` of a boolean are such texts."""
    return f"{attribute_prefix(name)}s{value[:TEXT_CHARACTERS_MAX]}"


def boolean_fact(name: str, value: bool) -> str:
    """How the attribute `name` with this boolean is stored."""
    return f"{attribute_prefix(name)}b{'true' if value else 'false'}"


def number_fact(name: str, value: float) -> str:
    """How the attribute `name` with this number is stored among the values."""
    return f"{attribute_prefix(name)}n{value:.15g}"


def facts_like(name: str, value: str) -> list[str]:
    """How an attribute may be stored whose value is written like this: as text, boolean or number."""
    facts = [text_fact(name, value)]
    if value in ("true", "false"):
        facts.append(boolean_fact(name, value == "true"))
    try:
        number = float(value)
    except ValueError:
        return facts
    return [*facts, number_fact(name, number)] if isfinite(number) else facts


def value_of_fact(fact: str) -> str:
    """The value as it is shown and as a filter takes it."""
    return fact[_NAME_DIGITS + 1 :]


def counted_values(facts: Iterable[str]) -> list[str]:
    """What a product counts for: a number and a text that are written in the same way are one value, because
    one filter finds both. No engine could add them up later without all counts of both.
    """
    return sorted({fact[:_NAME_DIGITS] + value_of_fact(fact) for fact in facts})


def counted_value(name: str, value: str) -> str:
    """The attribute `name` with this value, among those that are counted."""
    return f"{attribute_prefix(name)}{value}"


def value_of_counted(counted: str) -> str:
    """The value as it is shown."""
    return counted[_NAME_DIGITS:]


@lru_cache(maxsize=4096)
def attribute_prefix(name: str) -> str:
    """A name of fixed length that is safe in every engine's patterns."""
    return hashlib.blake2b(name.encode(), digest_size=_NAME_BYTES).hexdigest()


def number_key(name: str, value: float) -> str:
    """Sorts as the number does: the bits of an IEEE 754 double, the sign turned, negative ones inverted."""
    (bits,) = struct.unpack(">Q", struct.pack(">d", value + 0.0))
    return f"{attribute_prefix(name)}{bits ^ _ALL if bits & _SIGN else bits | _SIGN:016x}"


def price_key(currency: str, amount: str) -> str:
    """Sorts by amount within a currency: ten thousandths in hexadecimal, after the code in small letters."""
    return f"{currency.lower()}{_ten_thousandths(amount):016x}"


def time_key(time: datetime) -> str:
    """Sorts by time: microseconds since 1970 in hexadecimal."""
    return f"{_microseconds(time):016x}"


def time_bound_key(time: datetime) -> str:
    """The `time_key` of a bound that a caller names; of one before 1970, which has none, that of 1970."""
    return time_key(max(time, _EPOCH))


def id_of_key(key: str, *, is_inverted: bool = False) -> UUID:
    """The product of a sort key; in `updated_at` its bits are inverted."""
    number = int(key[-_ID_DIGITS:], 16)
    return UUID(int=_ID_ONES ^ number if is_inverted else number)


def id_digits(product_id: UUID, *, is_inverted: bool = False) -> str:
    """How a sort key ends."""
    return f"{_ID_ONES ^ product_id.int if is_inverted else product_id.int:032x}"


def _ten_thousandths(amount: str) -> int:
    whole, _, fraction = amount.partition(".")
    return int(whole + fraction.ljust(_MINOR_DIGITS, "0"))


def _microseconds(time: datetime) -> int:
    seconds = int(time.timestamp())
    return seconds * 1_000_000 + time.microsecond


def _sort_keys(document: ProductDocument) -> SortKeys:
    product_id = document.id.hex
    # Descending and the id ascending, or the other way round, as lists of the table.
    inverted_id = id_digits(document.id, is_inverted=True)
    newest_first = _ALL ^ _microseconds(document.created_at)
    cheapest: dict[str, str] = {}
    for variant in document.variants:
        key = price_key(variant.price.currency, variant.price.amount)[3:] + product_id
        currency = variant.price.currency
        cheapest[currency] = min(cheapest.get(currency, key), key)
    return SortKeys(
        rank=f"{newest_first:016x}{product_id}",
        # A byte below every character's ends the name: `a` comes before `a b`.
        name=f"{document.name.encode().hex()}00{product_id}",
        updated_at=f"{time_key(document.updated_at)}{inverted_id}",
        product_id=product_id,
        cheapest=cheapest,
    )


def _with_ancestors(category: str | None) -> Iterator[str]:
    """`a/b` counts for `a`, too."""
    if category is not None:
        parts = category.split("/")
        for end in range(1, len(parts) + 1):
            yield "/".join(parts[:end])


def _facts(name: str, given: Any) -> Iterator[str]:
    for value in _scalars(given):
        if isinstance(value, bool):
            yield boolean_fact(name, value)
        elif _is_number(value):
            yield number_fact(name, value)
        else:
            yield text_fact(name, value)


def _scalars(given: Any) -> Iterable[Any]:
    """A value, or those of a list; objects and lists within lists cannot be filtered by."""
    return [
        one
        for one in (given if isinstance(given, list | tuple) else (given,))
        if isinstance(one, str | int | float)
    ]


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _range_key(variant: Variant) -> str:
    return f"{variant.price.currency.lower()}{range_of(_ten_thousandths(variant.price.amount)):03d}"
