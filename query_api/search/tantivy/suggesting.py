"""Brands and categories whose own words a text matches, for a search box."""

from collections.abc import Sequence

import tantivy

from query_api.search.query import Clause, FacetValue, Phrase, TextQuery
from query_api.search.tantivy.counting import Column, count_values
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
    if not all(clauses):
        return ()
    matching = all_of([status, *(any_of(clause) for clause in clauses)])
    (counts,), _ = count_values(matching, [Column(values_field)], snapshot)
    # A product has values beside the one that matched: each of its categories is one.
    found = [
        FacetValue(value, products)
        for value, products in counts.products.items()
        if _matches(text, words_of(value))
    ]
    return sorted(found, key=lambda each: (-each.products, each.value))[:items_max]


def _in_field(clause: Clause, field: str, snapshot: Snapshot) -> list[tantivy.Query]:
    queries = [phrase_query(snapshot, field, phrase) for phrase in clause.phrases]
    return [query for query in queries if query is not None]


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
