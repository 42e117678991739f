"""Brands and categories whose own words a text matches, for a search box."""

from collections.abc import Sequence

import tantivy

from query_api.search.corrected import matching_values
from query_api.search.query import Clause, FacetValue, TextQuery
from query_api.search.tantivy.counting import Column, count_values
from query_api.search.tantivy.filters import all_of, any_of
from query_api.search.tantivy.index import Snapshot
from query_api.search.tantivy.texts import phrase_query


def values_like(
    text: TextQuery,
    words_field: str,
    values_field: str,
    status: tantivy.Query,
    items_max: int,
    snapshot: Snapshot,
) -> Sequence[FacetValue]:
    """The values that all words of the text match, with the most products first."""
    if not text.required:
        return ()
    clauses = [_in_field(clause, words_field, snapshot) for clause in text.required]
    if not all(clauses):
        return ()
    matching = all_of([status, *(any_of(clause) for clause in clauses)])
    (counts,), _ = count_values(matching, [Column(values_field)], snapshot)
    return matching_values(text, counts.products, items_max)


def _in_field(clause: Clause, field: str, snapshot: Snapshot) -> list[tantivy.Query]:
    queries = [phrase_query(snapshot, field, phrase) for phrase in clause.phrases]
    return [query for query in queries if query is not None]
