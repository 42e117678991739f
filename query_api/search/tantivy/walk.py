"""A page in order, looked for among the products near its beginning instead of among all that match.

tantivy looks at every product that matches before it knows the first twenty. In a list by category of a
million products that is a hundred thousand. So a sample of the products that match tells where the page is
likely to end, and only up to there the page is looked for, along the index of the order. If too few are found
there, all are looked at after all: a bound makes a page faster, never shorter.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from math import ceil
from typing import NamedTuple

import tantivy

from query_api.search.query import SearchFilters
from query_api.search.tantivy import schema as s
from query_api.search.tantivy.filters import Filter, LookedAt, all_of, one_of
from query_api.search.tantivy.index import Snapshot
from query_api.search.tantivy.start_sample import StartSample

SAMPLE_MAX = 2_048
LOOKED_AT_MIN = 8_000
"""Fewer are looked at in less time than it takes to find a bound."""
_KNOWN_ENDS_MAX = 10_000
_SPARE, _SPARE_SAMPLES = 2.0, 1.4
"""Products of a sample are not equally far from each other. With these, about one page in fifty needs a look
at all.
"""
_START_MAX = (1 << 4 * s.START_DIGITS) - 1


class StartField(NamedTuple):
    """The first digits of the sort keys of an order, as a number."""

    name: str
    is_descending: bool

    @property
    def direction(self) -> tantivy.Order:
        return tantivy.Order.Desc if self.is_descending else tantivy.Order.Asc


class Walk:
    """Along one order. A search without a bound looks at the products of `looked_at`."""

    def __init__(self, field: StartField, looked_at: LookedAt, snapshot: Snapshot) -> None:
        self._field = field
        self._looked_at = looked_at
        self._snapshot = snapshot

    def bound(
        self, filters: SearchFilters, found: Sequence[Filter], after: int | None, hits_max: int
    ) -> tantivy.Query | None:
        """Products after `after` among which so many that match are likely to be, and all before them; None:
        a bound would not pay. `found` are the filters as queries.
        """
        if self._looked_at.products < LOOKED_AT_MIN:
            return None
        level = _level(self._looked_at.products)
        samples = ceil(_SPARE * hits_max / (1 << level) + _SPARE_SAMPLES)
        matching = self._sampled(level, filters, found)
        end = (
            self._first_end(filters, matching, samples)
            if after is None
            else self._end(matching, samples, after)
        )
        if end is None:
            return None
        return self._walked(end, after) if self._field.is_descending else self._walked(after, end)

    def _first_end(self, filters: SearchFilters, matching: tantivy.Query, samples: int) -> int | None:
        """Where a first page is likely to end; kept for some commits, since many ask for first pages."""
        known, asked = self._snapshot.known_ends, (filters, samples)
        if asked in known:
            # Another thread may have cleared it: then there is no bound.
            return known.get(asked)
        if len(known) >= _KNOWN_ENDS_MAX:
            known.clear()
        end = known[asked] = self._end(matching, samples, None)
        return end

    def _end(self, matching: tantivy.Query, samples: int, after: int | None) -> int | None:
        """Where so many products of the sample are, which all match; None: there are fewer."""
        found = self._snapshot.searcher.search(
            matching,
            # Those before the page are skipped here, not by the search.
            samples if after is None else 2 * SAMPLE_MAX,
            count=False,
            order_by_field=self._field.name,
            order=self._field.direction,
        )
        starts = [start for start, _ in found.hits if start is not None]
        if self._field.is_descending:
            starts.reverse()
            end = len(starts) if after is None else bisect_right(starts, after)
            return starts[end - samples] if end >= samples else None
        end = (0 if after is None else bisect_left(starts, after)) + samples
        return starts[end - 1] if end <= len(starts) else None

    def between(self, one: int, other: int) -> tantivy.Query:
        """The products whose keys start with these numbers or with one between them, and perhaps some more
        around them.
        """
        if one == other:
            return tantivy.Query.term_query(self._snapshot.schema, self._field.name, one, "basic")
        lowest, highest = min(one, other), max(one, other)
        return self._walked(lowest, highest) or self._range(lowest, highest, use_inverted_index=False)

    def _walked(self, lowest: int | None, highest: int | None) -> tantivy.Query | None:
        """The range along an index of the order, or a little more; None: to look at all costs less."""
        if self._looked_at.products < LOOKED_AT_MIN:
            return None
        sample = self._sample()
        least, digits = min((sample.costs(lowest, highest, each), each) for each in sample.digits)
        if least > self._looked_at.products:
            return None
        if digits == s.START_DIGITS:
            return self._range(lowest, highest, use_inverted_index=True)
        first = s.stride(self._field.name, lowest or 0, digits)
        last = s.stride(self._field.name, _START_MAX if highest is None else highest, digits)
        return self._snapshot.parsed(f"{s.STRIDE}:[{first} TO {last}]", s.STRIDE)

    def _range(self, lowest: int | None, highest: int | None, *, use_inverted_index: bool) -> tantivy.Query:
        return tantivy.Query.range_query(
            self._snapshot.schema,
            self._field.name,
            tantivy.FieldType.Unsigned,
            lowest,
            highest,
            use_inverted_index=use_inverted_index,
        )

    def _sampled(self, level: int, filters: SearchFilters, found: Sequence[Filter]) -> tantivy.Query:
        """Those of the sample that match."""
        _, field, value = self._looked_at
        terms = [s.sampled(level, status, field, value) for status in filters.statuses]
        others = [each for name, each in found if name not in (s.STATUS, field)]
        return all_of([one_of(self._snapshot, s.SAMPLE, terms), *others])

    def _sample(self) -> StartSample:
        """Of all products; kept for some commits."""
        level = _level(self._snapshot.searcher.num_docs)
        known, asked = self._snapshot.known_samples, (self._field.name, level)
        if asked not in known:
            found = self._snapshot.searcher.search(
                one_of(self._snapshot, s.SAMPLE, [s.sampled(level)]),
                2 * SAMPLE_MAX,
                count=False,
                order_by_field=self._field.name,
                order=tantivy.Order.Asc,
            )
            # A product without a price in this currency has none.
            starts = [start for start, _ in found.hits if start is not None]
            known[asked] = StartSample(starts, 1 << level, self._products_of)
        return known[asked]

    def _products_of(self, start: int, digits: int) -> int:
        """With deleted ones, and never none: the products of the sample are among them."""
        searcher, name = self._snapshot.searcher, self._field.name
        if digits == s.START_DIGITS:
            return searcher.doc_freq(name, start)
        return searcher.doc_freq(s.STRIDE, s.stride(name, start, digits))


def _level(products: int) -> int:
    levels = (level for level in s.SAMPLE_LEVELS if products >> level <= SAMPLE_MAX)
    return next(levels, s.SAMPLE_LEVELS[-1])
