"""A search as values: what has to match, in which order, after which hit, and what to count."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Literal, NamedTuple
from uuid import UUID

from msgspec import Struct

from shared.search.entry import SCHEME

SearchSort = Literal["relevance", "name", "-name", "price", "-price", "updated_at", "-updated_at", "id"]
Tier = Literal["sku", "name", "brand", "tags", "description"]
TIERS: tuple[Tier, ...] = ("sku", "name", "brand", "tags", "description")
"""Relevance: the field in which a word matches, best first."""


class Phrase(NamedTuple):
    """Words that follow one another in one field. Of a prefix, the last word may go on."""

    words: tuple[str, ...]
    is_prefix: bool = False


class Clause(NamedTuple):
    """Matches if one of its phrases does, or if a SKU is `sku` (folded; None: the words are no SKU). A prefix
    may also begin a SKU. What is literal is not corrected.
    """

    phrases: tuple[Phrase, ...]
    sku: str | None
    is_literal: bool = False


class TextQuery(NamedTuple):
    """All of `required` have to match, or a SKU is `whole` (folded); and none of `excluded` matches."""

    whole: str
    required: tuple[Clause, ...]
    excluded: tuple[Clause, ...] = ()


class AttributeFilter(Struct, frozen=True, omit_defaults=True):
    """The attribute `name` is `value`, or is a number from `lowest` to `highest`."""

    name: str
    value: str | None = None
    lowest: float | None = None
    highest: float | None = None


class ProductFilters(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What lists and searches filter by. Equal filters are equal values: whatever has several values is
    sorted.
    """

    statuses: tuple[str, ...] = ("active",)
    category: str | None = None
    brand: str | None = None
    tag: str | None = None
    product_ids: tuple[UUID, ...] | None = None
    sku: str | None = None
    updated_after: datetime | None = None
    currency: str | None = None
    price_min: Decimal | None = None
    price_max: Decimal | None = None


class SearchFilters(ProductFilters, frozen=True, kw_only=True, omit_defaults=True, tag=f"search.{SCHEME}"):
    """And what only a search has. A cursor is bound to the tag, so one of another scheme is refused: its sort
    key may mean another place.
    """

    text: TextQuery | None = None
    attributes: tuple[AttributeFilter, ...] = ()
    sort: SearchSort = "-updated_at"


class HitPosition(NamedTuple):
    """Where a page ends: the tier of the last hit (0 without relevance), and its sort key, which is
    unique.
    """

    tier: int
    key: str


class SearchQuery(NamedTuple):
    """`facets` are names: `brand`, `category`, `tag`, `status`, `price`, `attr.<name>`."""

    filters: SearchFilters
    after: HitPosition | None
    hits_max: int
    facets: tuple[str, ...] = ()
    with_total: bool = False
    visible_statuses: tuple[str, ...] = ("active",)
    """What the counts by status may tell this reader."""


class Hit(NamedTuple):
    """A product that matched when it had this version. `tier` is None without relevance."""

    product_id: UUID
    stream_version: int
    position: HitPosition
    tier: Tier | None = None


class FacetValue(NamedTuple):
    """How many products would match with this value; of a category, with those below it."""

    value: str
    products: int


class FacetRange(NamedTuple):
    """How many products have a variant that costs from `lowest` to `highest` (included; None: or more)."""

    lowest: Decimal
    highest: Decimal | None
    products: int


class Facets(NamedTuple):
    """Counts by name of the facet. Each ignores the filter on the same thing."""

    values: Mapping[str, Sequence[FacetValue]]
    prices: Sequence[FacetRange] | None = None


class Found(NamedTuple):
    """A page of hits, the exact number of all, and the counts that were asked for. `corrected` has a text in
    which words that no product has are replaced by those that matched; None: there are none.
    """

    hits: Sequence[Hit]
    total: int | None
    facets: Facets | None
    corrected: str | None = None


class Suggestions(NamedTuple):
    """What a text may become: hits by name, brands and categories with counts."""

    products: Sequence[Hit]
    brands: Sequence[FacetValue]
    categories: Sequence[FacetValue]
    corrected: str | None = None
