"""A page in order, looked for among the products near its beginning instead of among all that match.

tantivy looks at every product that matches before it knows the first twenty. In a list by category of a
million products that is a hundred thousand. So a sample of the products that match tells where the page is
likely to end, and only up to there the page is looked for, along the index of the order. If too few are found
there, all are looked at after all: a bound makes a page faster, never shorter.
"""

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Sequence
from math import ceil
from typing import NamedTuple

import tantivy

from query_api.search.tantivy import schema as s
from query_api.search.tantivy.filters import all_of
from query_api.search.tantivy.index import Snapshot

SAMPLE_MAX = 8_192
MATCHES_MIN = 8_000
"""Fewer are compared in less time than it takes to find a bound."""
_STEP_COSTS = 12
"""A step to the next number takes as long as to look at so many products. Numbers that a sample has more than
once are those of many products, and few steps.
"""
_SPARE, _SPARE_SAMPLES = 1.5, 2
"""Products of a sample are not equally far from each other."""


class StartField(NamedTuple):
    """The first digits of the sort keys of an order, as a number."""

    name: str
    is_descending: bool

    @property
    def direction(self) -> tantivy.Order:
        return tantivy.Order.Desc if self.is_descending else tantivy.Order.Asc


class Walk:
    """Along one order, for one page. `after`: the start of the key that the page comes after."""

    def __init__(
        self, field: StartField, matching: tantivy.Query, after: int | None, snapshot: Snapshot
    ) -> None:
        self._field = field
        self._matching = matching
        self._after = after
        self._snapshot = snapshot
        self._level = _level(snapshot.searcher.num_docs)
        self._matches = 0

    def bound(self, hits_max: int) -> tantivy.Query | None:
        """Products among which so many that match are likely to be, with all before them; None: a bound would
        not pay.
        """
        if self._level is None:
            return None
        samples = ceil(_SPARE * hits_max / (1 << self._level)) + _SPARE_SAMPLES
        # Those before the page are skipped here, not by the search.
        hits_max = samples if self._after is None else 2 * SAMPLE_MAX
        found = self._snapshot.searcher.search(
            all_of([self._sampled(), self._matching]),
            hits_max,
            count=True,
            order_by_field=self._field.name,
            order=self._field.direction,
        )
        self._matches = int(found.count) << self._level  # type: ignore[attr-defined]  # not in its declarations
        if self._matches < MATCHES_MIN:
            return None
        starts = [start for start, _ in found.hits if start is not None]
        if self._field.is_descending:
            starts.reverse()
            end = len(starts) if self._after is None else bisect_right(starts, self._after)
            if end < samples:
                return None
            return self._walked(starts[end - samples], self._after)
        end = (0 if self._after is None else bisect_left(starts, self._after)) + samples
        return self._walked(self._after, starts[end - 1]) if end <= len(starts) else None

    def between(self, one: int, other: int) -> tantivy.Query:
        """The products whose keys start with these numbers or with one between them."""
        lowest, highest = min(one, other), max(one, other)
        return self._walked(lowest, highest) or self._compared(lowest, highest)

    def _walked(self, lowest: int | None, highest: int | None) -> tantivy.Query | None:
        if self._level is None or self._matches < MATCHES_MIN:
            return None
        starts = self._all_starts(self._level)
        first = 0 if lowest is None else bisect_left(starts, lowest)
        last = len(starts) if highest is None else bisect_right(starts, highest)
        looked_at_max = self._matches >> self._level
        if last - first > looked_at_max:
            return None
        steps = sum(count == 1 for count in Counter(starts[first:last]).values())
        if last - first + _STEP_COSTS * steps > looked_at_max:
            return None
        return self._range(lowest, highest, use_inverted_index=True)

    def _compared(self, lowest: int | None, highest: int | None) -> tantivy.Query:
        return self._range(lowest, highest, use_inverted_index=False)

    def _range(self, lowest: int | None, highest: int | None, *, use_inverted_index: bool) -> tantivy.Query:
        return tantivy.Query.range_query(
            self._snapshot.schema,
            self._field.name,
            tantivy.FieldType.Unsigned,
            lowest,
            highest,
            use_inverted_index=use_inverted_index,
        )

    def _sampled(self) -> tantivy.Query:
        return tantivy.Query.term_query(self._snapshot.schema, s.SAMPLE, str(self._level), "basic")

    def _all_starts(self, level: int) -> Sequence[int]:
        """Of the whole sample, in ascending order; kept for some commits."""
        known, asked = self._snapshot.known_starts, (self._field.name, level)
        if asked not in known:
            found = self._snapshot.searcher.search(
                self._sampled(),
                2 * SAMPLE_MAX,
                count=False,
                order_by_field=self._field.name,
                order=tantivy.Order.Asc,
            )
            # A product without a price in this currency has none.
            known[asked] = [start for start, _ in found.hits if start is not None]
        return known[asked]


def _level(products: int) -> int | None:
    if products < MATCHES_MIN:
        return None
    levels = (level for level in s.SAMPLE_LEVELS if products >> level <= SAMPLE_MAX)
    return next(levels, s.SAMPLE_LEVELS[-1])
