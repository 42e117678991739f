"""Brands and categories whose own words a text matches, for a search box."""

from collections.abc import Sequence

import tantivy

from query_api.search.query import Clause, FacetValue, Phrase, TextQuery
from query_api.search.tantivy.counting import counts
from query_api.search.tantivy.filters import all_of, any_of
from query_api.search.tantivy.index import Snapshot
from query_api.search.tantivy.texts import phrase_query
from shared.search.words import words_of


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
    # A product has values beside the one that matched: each of its categories is one.
    found = [
        FacetValue(bucket["key"], bucket["doc_count"])
        for bucket in counted["values"]["buckets"]
        if _matches(text, words_of(bucket["key"]))
    ]
    return sorted(found, key=lambda each: (-each.products, each.value))[:items_max]


def _in_field(clause: Clause, field: str, snapshot: Snapshot) -> tantivy.Query:
    return any_of([phrase_query(snapshot, field, phrase) for phrase in clause.phrases])


def _matches(text: TextQuery, words: Sequence[str]) -> bool:
    return all(any(_contains(words, phrase) for phrase in clause.phrases) for clause in text.required)


def _contains(words: Sequence[str], phrase: Phrase) -> bool:
    count = len(phrase.words)
    return any(_is_at(words[start : start + count], phrase) for start in range(len(words) - count + 1))


def _is_at(words: Sequence[str], phrase: Phrase) -> bool:
    *first, last = phrase.words
    if list(words[:-1]) != first:
        return False
    return words[-1].startswith(last) if phrase.is_prefix else words[-1] == last
