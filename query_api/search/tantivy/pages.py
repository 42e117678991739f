"""The hits of one page, in their order.

A page is ordered by the number at the start of the sort keys (`schema.py`). If the last hit and the next one
share it, a second search orders the products with this number by the beginning of their ids, and a third one
those that share this by their whole keys. Of names the number says too little, so a second search orders by
the whole keys at once, among the products up to there alone. So the order is exact, and few texts are read:
each takes as long as to look at a thousand products.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple
from uuid import UUID

import tantivy

from query_api.search.query import TIERS, Hit, HitPosition, SearchFilters, SearchQuery
from query_api.search.tantivy import schema as s
from query_api.search.tantivy.filters import NONE_LOOKED_AT, Filter, all_of, looked_at
from query_api.search.tantivy.index import Snapshot
from query_api.search.tantivy.texts import TextTiers
from query_api.search.tantivy.walk import StartField, Walk
from shared.search.entry import id_digits

_NO_TIER = 0
_Found = list[tuple[Any, tantivy.DocAddress]]
"""Hits with what they are ordered by: the start of their keys, or the whole ones."""


class _Place(NamedTuple):
    """A hit whose id was not read yet. `key`: its whole sort key, or the number at the start."""

    tier: int
    key: str | int
    address: tantivy.DocAddress


class _Order(NamedTuple):
    field: str
    is_descending: bool

    @property
    def start(self) -> StartField:
        return StartField(s.start_of(self.field), self.is_descending)

    @property
    def has_inverted_id(self) -> bool:
        return self.field == s.BY_TIME

    @property
    def ids(self) -> StartField:
        """The order of products whose keys start with the same number."""
        return StartField(s.ID_HIGH, self.is_descending != self.has_inverted_id)

    def key(self, start: int, product_id: UUID) -> str:
        """The whole key, of any order but that by name."""
        if self.field == s.PRODUCT:
            return product_id.hex
        return f"{start:0{s.START_DIGITS}x}{id_digits(product_id, is_inverted=self.has_inverted_id)}"

    def after(self, key: str, snapshot: Snapshot) -> tantivy.Query:
        """The products behind this key."""
        return snapshot.parsed(f"{self.field}:{'<' if self.is_descending else '>'}{key}", self.field)

    def by_keys(self, matching: tantivy.Query, hits_max: int, snapshot: Snapshot) -> _Found:
        """The first of what matches, with their whole keys."""
        return _first(StartField(self.field, self.is_descending), matching, hits_max, snapshot)


def _first(field: StartField, matching: tantivy.Query, hits_max: int, snapshot: Snapshot) -> _Found:
    return snapshot.searcher.search(
        matching, hits_max, count=False, order_by_field=field.name, order=field.direction
    ).hits


def by_relevance(
    query: SearchQuery, matching: list[tantivy.Query], tiers: TextTiers, snapshot: Snapshot
) -> list[Hit]:
    """Tier by tier, until the page is full."""
    order = _Order(s.BY_RANK, is_descending=False)
    first = 0 if query.after is None else query.after.tier
    walk = Walk(order.start, NONE_LOOKED_AT, snapshot)
    places: list[_Place] = []
    for number in range(first, len(TIERS)):
        wanted = query.hits_max - len(places)
        # A tier that the page does not reach is not even made.
        tier = tiers.tier(number) if wanted > 0 else None
        if tier is not None:
            parts = [*matching, tier]
            if query.after is not None and number == first:
                parts.append(order.after(query.after.key, snapshot))
            places += _places(all_of(parts), order, wanted, number, walk, snapshot)
    return [hit._replace(tier=TIERS[hit.position.tier]) for hit in _hits(places, order, snapshot)]


def in_order(query: SearchQuery, filters: Sequence[Filter], snapshot: Snapshot) -> list[Hit]:
    """In the order that the query names."""
    order = _order(query.filters)
    after = None if query.after is None else int(query.after.key[: s.START_DIGITS], 16)
    walk = Walk(order.start, looked_at(query.filters, snapshot), snapshot)
    bound = walk.bound(query.filters, filters, after, query.hits_max)
    matching = all_of([each for _, each in filters])
    if query.after is not None:
        matching = all_of([matching, order.after(query.after.key, snapshot)])
    places: list[_Place] = []
    if bound is not None:
        places = _places(matching, order, query.hits_max, _NO_TIER, walk, snapshot, bound)
    if len(places) < query.hits_max:
        places = _places(matching, order, query.hits_max, _NO_TIER, walk, snapshot)
    return _hits(places, order, snapshot)


def _order(filters: SearchFilters) -> _Order:
    is_descending = filters.sort.startswith("-")
    match filters.sort.removeprefix("-"):
        case "name":
            return _Order(s.BY_NAME, is_descending)
        case "price":
            assert filters.currency is not None, "an order by price needs a currency"
            return _Order(s.by_price(filters.currency), is_descending)
        case "id":
            return _Order(s.PRODUCT, is_descending)
        case "updated_at":
            return _Order(s.BY_TIME, is_descending)
        case _:
            return _Order(s.BY_RANK, is_descending)


def _places(
    matching: tantivy.Query,
    order: _Order,
    hits_max: int,
    tier: int,
    walk: Walk,
    snapshot: Snapshot,
    bound: tantivy.Query | None = None,
) -> list[_Place]:
    """The first hits; with a bound those of its products alone."""
    bounded = matching if bound is None else all_of([matching, bound])
    if bound is not None and order.field == s.BY_NAME:
        # Whole keys of a few are ordered sooner than the index of the order is walked along again.
        found = order.by_keys(bounded, hits_max, snapshot)
        return [_Place(tier, key, address) for key, address in found]
    found = _first(order.start, bounded, hits_max + 1, snapshot)
    if found and order.field == s.BY_NAME:
        found = found[:hits_max]
        near = all_of([matching, walk.between(found[0][0], found[-1][0])])
        found = order.by_keys(near, hits_max, snapshot)
    else:
        found, shared = _cut(found, hits_max)
        if shared is not None:
            equal = all_of([matching, walk.between(shared, shared)])
            alike = _by_id(equal, order, hits_max - len(found), snapshot)
            found += [(shared, address) for address in alike]
    return [_Place(tier, key, address) for key, address in found]


def _cut(found: _Found, hits_max: int) -> tuple[_Found, int | None]:
    """Of one hit more than wanted: the first ones, without those that share the number of the last one with
    the next; that number, if there are any.
    """
    kept, beyond = found[:hits_max], found[hits_max:]
    if not beyond or beyond[0][0] != kept[-1][0]:
        return kept, None
    shared: int = kept[-1][0]
    return [hit for hit in kept if hit[0] != shared], shared


def _by_id(
    equal: tantivy.Query, order: _Order, hits_max: int, snapshot: Snapshot
) -> list[tantivy.DocAddress]:
    """The first of products whose keys start with the same number. Ids that were made together start alike,
    too.
    """
    found, shared = _cut(_first(order.ids, equal, hits_max + 1, snapshot), hits_max)
    if shared is not None:
        alike = tantivy.Query.term_query(snapshot.schema, s.ID_HIGH, shared, "basic")
        found += order.by_keys(all_of([equal, alike]), hits_max - len(found), snapshot)
    return [address for _, address in found]


def _hits(places: list[_Place], order: _Order, snapshot: Snapshot) -> list[Hit]:
    hits = []
    for place in places:
        product_id, stream_version = s.hit_of(snapshot.searcher.doc(place.address))
        key = place.key if isinstance(place.key, str) else order.key(place.key, product_id)
        hits.append(Hit(product_id, stream_version, HitPosition(place.tier, key)))
    return sorted(hits, key=lambda hit: hit.position, reverse=order.is_descending)
