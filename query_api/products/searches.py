"""Searches products: the engine finds ids in their order and counts, the documents come from cache or table.

A page may have fewer items than hits: a product that changed after it was found, and is deleted or does not
meet the filters any more, is left out. `next_cursor` is that of the last hit, so nothing is skipped by it.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any, NamedTuple

import msgspec

from query_api.consistency.visibility import Consistency
from query_api.cursors import Cursors
from query_api.products.changed_hits import meets
from query_api.products.documents import HitDocuments
from query_api.products.matching import VariantMatch
from query_api.products.page_answer import PageAnswer
from query_api.products.ports import ProductRow
from query_api.search.ports import SearchEngine, SearchProgress
from query_api.search.query import Facets, Found, Hit, HitPosition, SearchFilters, SearchQuery

_encode = msgspec.json.Encoder(decimal_format="string").encode


class Wanted(NamedTuple):
    """What a page of a search contains beside its hits. `visible_statuses`: what the caller may know of."""

    limit: int
    facets: tuple[str, ...]
    with_total: bool
    visible_statuses: tuple[str, ...]


class SearchProducts:
    """The use case. Raises `BadParameter` for a foreign cursor, or `Unavailable`."""

    def __init__(
        self,
        engine: SearchEngine,
        progress: SearchProgress,
        documents: HitDocuments,
        cursors: Cursors[HitPosition],
        *,
        page_bytes_max: int,
    ) -> None:
        self._engine = engine
        self._progress = progress
        self._documents = documents
        self._cursors = cursors
        self._page_bytes_max = page_bytes_max

    async def page(
        self,
        filters: SearchFilters,
        cursor: str | None,
        wanted: Wanted,
        consistency: Consistency | None = None,
    ) -> PageAnswer:
        """Up to `limit` products after `cursor`."""
        after = None if cursor is None else self._cursors.decode(cursor, filters)
        consistency = await self._reached(consistency)
        # Read before the search: an answer that is older than a mark must not be kept under it.
        made_at, mark = time.time(), self._engine.mark
        found = await self._engine.search(
            SearchQuery(
                filters, after, wanted.limit + 1, wanted.facets, wanted.with_total, wanted.visible_statuses
            )
        )
        hits = found.hits[: wanted.limit]
        documents = await self._documents.of(hits, consistency)
        shown, taken = self._shown(hits, documents.rows, filters)
        more = taken < len(found.hits)
        next_cursor = self._cursors.encode(hits[taken - 1].position, filters) if more and taken else None
        body = _body(shown, next_cursor, found, filters, wanted)
        is_kept = consistency is None and documents.are_current and documents.cache != "bypass"
        return PageAnswer(body, next_cursor, documents.cache, made_at, mark if is_kept else None)

    async def _reached(self, consistency: Consistency | None) -> Consistency | None:
        """Wait for the index; what is left of the caller's wait is for the documents."""
        if consistency is None:
            return None
        started = time.monotonic()
        await self._progress.reach(consistency.token, consistency.wait_seconds)
        left = consistency.wait_seconds - (time.monotonic() - started)
        return replace(consistency, wait_seconds=max(0.0, left))

    def _shown(
        self, hits: Sequence[Hit], rows: Mapping[Any, ProductRow], filters: SearchFilters
    ) -> tuple[list[tuple[Hit, bytes]], int]:
        """The items that are shown, and how many hits they stand for: all whose documents fit into a page."""
        shown: list[tuple[Hit, bytes]] = []
        left = self._page_bytes_max
        for taken, hit in enumerate(hits):
            row = rows.get(hit.product_id)
            if row is None or row.body is None or not _belongs(hit, row, row.body, filters):
                continue
            left -= len(row.body)
            if left < 0 and shown:
                return shown, taken
            shown.append((hit, row.body))
        return shown, len(hits)


def _belongs(hit: Hit, row: ProductRow, body: bytes, filters: SearchFilters) -> bool:
    """The version that was found meets the filters."""
    return row.stream_version == hit.stream_version or meets(body, filters)


def _body(
    shown: Sequence[tuple[Hit, bytes]],
    next_cursor: str | None,
    found: Found,
    filters: SearchFilters,
    wanted: Wanted,
) -> bytes:
    """The documents as they are stored, never serialised again."""
    parts = [b'{"items":[', b",".join(body for _, body in shown), b'],"next_cursor":', _encode(next_cursor)]
    if filters.text is not None:
        match = VariantMatch(filters)
        matches = [{"tier": hit.tier, "skus": match.skus(body)} for hit, body in shown]
        parts += [b',"matches":', _encode(matches), b',"corrected":', _encode(found.corrected)]
    if wanted.with_total:
        parts += [b',"total":', _encode(found.total)]
    if found.facets is not None:
        parts += [b',"facets":', _encode(facets_json(found.facets, wanted.facets))]
    return b"".join([*parts, b"}"])


def facets_json(facets: Facets, names: Sequence[str]) -> dict[str, Any]:
    """In the order in which they were asked for."""
    json: dict[str, Any] = {}
    for name in names:
        if name == "price":
            json[name] = [
                {"min": _amount(one.lowest), "max": _amount(one.highest), "count": one.products}
                for one in facets.prices or ()
            ]
        elif name == "category":
            json[name] = _tree(facets.values[name])
        else:
            json[name] = [{"value": one.value, "count": one.products} for one in facets.values[name]]
    return json


def _amount(amount: Decimal | None) -> str | None:
    return None if amount is None else f"{amount:f}"


def _tree(values: Sequence[Any]) -> list[dict[str, Any]]:
    """Each category with those below it; `value` is the whole path, as the filter takes it."""
    roots: list[dict[str, Any]] = []
    nodes: dict[str, dict[str, Any]] = {}
    for one in sorted(values, key=lambda each: each.value.count("/")):
        node = {"value": one.value, "count": one.products, "children": []}
        nodes[one.value] = node
        parent = nodes.get(one.value.rpartition("/")[0])
        (roots if parent is None else parent["children"]).append(node)
    return roots
