"""Brands and categories whose own words a text matches, for a search box."""

from collections.abc import Sequence

import tantivy

from query_api.search.corrected import matching_values
from query_api.search.query import Clause, FacetValue, TextQuery
from query_api.search.tantivy.counting import counts
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
    counted = snapshot.searcher.aggregate(all_of([status, *clauses]), {"values": counts(values_field)})
    products = {bucket["key"]: bucket["doc_count"] for bucket in counted["values"]["buckets"]}
    return matching_values(text, products, items_max)


def _in_field(clause: Clause, field: str, snapshot: Snapshot) -> tantivy.Query:
    return any_of([phrase_query(snapshot, field, phrase) for phrase in clause.phrases])
