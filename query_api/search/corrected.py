"""A text whose unknown words are replaced, and the values of a catalogue that a text means."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from query_api.search.query import Clause, FacetValue, Phrase, TextQuery
from query_api.search.text_query import written
from shared.search.words import words_of


class Corrected(NamedTuple):
    """`text` None: no word was replaced."""

    query: TextQuery
    text: str | None


def corrected(text: TextQuery, required: tuple[Clause, ...]) -> Corrected:
    """The text with these clauses instead of its own."""
    if required == text.required:
        return Corrected(text, None)
    other = text._replace(required=required)
    return Corrected(other, written(other))


def matching_values(text: TextQuery, products: Mapping[str, int], items_max: int) -> Sequence[FacetValue]:
    """The values that all words of the text match, with the most products first. A product has values beside
    the one that matched: each of its categories is one.
    """
    found = [FacetValue(value, count) for value, count in products.items() if _matches(text, words_of(value))]
    return sorted(found, key=lambda each: (-each.products, each.value))[:items_max]


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
