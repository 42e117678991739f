"""Replaces words that no product has by the nearest ones of the catalogue.

OpenSearch's term suggester looks the nearest words up in the index, and knows nothing of statuses. So a
second request counts how many products of the reader's statuses have them: the words of a draft must not
show in the corrections of somebody who may not read drafts. Which of them are the nearest is decided as in
the embedded engine (`lexicon.py`).
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rapidfuzz.distance import OSA

from query_api.search.corrected import Corrected, corrected
from query_api.search.lexicon import Lexicon, mistakes_max, with_corrections
from query_api.search.opensearch.queries import WORDS, Query, all_of, any_of, status_is, term, terms
from query_api.search.opensearch.searches import Searches
from query_api.search.query import Clause, TextQuery
from shared.search.opensearch import mapping as m

CANDIDATES_MAX = 20
"""How many words may be meant by one word, before their products are counted."""
_SUGGESTIONS_MAX = 100
# More than a word occurs: otherwise OpenSearch suggests nothing for one that drafts or deleted products have.
_FREQUENCY_MAX = 1_000_000_000


def may_be_corrected(text: TextQuery | None) -> bool:
    """Whether one of the words is looked up at all."""
    return text is not None and any(not clause.is_literal for clause in text.required)


def are_known(text: TextQuery, hits: Iterable[Mapping[str, Any]]) -> bool:
    """Whether these hits prove that all words are known, so that nobody has to look. Other wordings, and the
    beginning of a SKU, match products that have not all words.
    """
    plain = all(
        len(clause.phrases) == 1 and not (clause.phrases[0].is_prefix and len(clause.phrases[0].words) > 1)
        for clause in text.required
    )
    return plain and any(WORDS in hit.get("matched_queries", ()) for hit in hits)


async def correct(text: TextQuery, statuses: Sequence[str], searches: Searches) -> Corrected:
    """The query with what its unknown words may have meant: unknown to all products of these statuses."""
    clauses = [clause for clause in text.required if not clause.is_literal]
    answer = await searches.ask(_lookup(clauses, statuses))
    known = {key for key, one in answer["aggregations"]["known"]["buckets"].items() if one["doc_count"]}
    unknown = {
        clause: [
            word
            for place, word in enumerate(clause.phrases[0].words)
            if _key(word, is_prefix=_is_prefix(clause, place)) not in known
        ]
        for clause in clauses
        if _sku_key(clause) not in known
    }
    candidates = _candidates(
        {word for words in unknown.values() for word in words}, answer.get("suggest", {})
    )
    lexicon = Lexicon(await _counted(candidates, statuses, searches) if candidates else {})
    required = tuple(
        with_corrections(clause, {word: lexicon.corrections(word) for word in unknown.get(clause, ())})
        for clause in text.required
    )
    return corrected(text, required)


def _lookup(clauses: Sequence[Clause], statuses: Sequence[str]) -> Mapping[str, Any]:
    """Which words and SKUs products of these statuses have, and what is near to the words."""
    wanted: dict[str, Query] = {}
    words: dict[str, int] = {}
    for clause in clauses:
        if clause.sku is not None:
            wanted[_sku_key(clause)] = term(m.SKU, clause.sku)
        for place, word in enumerate(clause.phrases[0].words):
            is_prefix = _is_prefix(clause, place)
            wanted[_key(word, is_prefix=is_prefix)] = _has(word, is_prefix=is_prefix)
            words[word] = mistakes_max(word)
    return {
        "size": 0,
        "track_total_hits": False,
        "query": all_of([status_is(statuses), any_of(list(wanted.values()))]),
        "aggs": {"known": {"filters": {"filters": wanted}}},
        "suggest": {
            f"{field} {word}": {"text": word, "term": _near(field, mistakes)}
            for word, mistakes in words.items()
            if mistakes
            for field in m.TEXT_FIELDS
        },
    }


def _has(word: str, *, is_prefix: bool) -> Query:
    if not is_prefix:
        return any_of([term(field, word) for field in m.TEXT_FIELDS])
    return any_of([{"prefix": {field: word}} for field in (*m.TEXT_FIELDS, m.SKU)])


def _near(field: str, mistakes: int) -> Mapping[str, Any]:
    return {
        "field": field,
        "suggest_mode": "always",
        "max_edits": mistakes,
        "prefix_length": 0,
        "min_word_length": 1,
        "size": _SUGGESTIONS_MAX,
        "accuracy": 0.01,
        "max_term_freq": _FREQUENCY_MAX,
    }


def _candidates(words: Iterable[str], suggested: Mapping[str, Any]) -> set[str]:
    found: set[str] = set()
    for word in words:
        near = Counter[str]()
        for field in m.TEXT_FIELDS:
            for entry in suggested.get(f"{field} {word}", ()):
                for option in entry["options"]:
                    near[option["text"]] += option["freq"]
        ordered = sorted(near, key=lambda each: (OSA.distance(word, each), -near[each], each))
        found.update(ordered[:CANDIDATES_MAX])
    return found


async def _counted(words: set[str], statuses: Sequence[str], searches: Searches) -> Mapping[str, int]:
    """In how many fields of products each word is."""
    answer = await searches.ask(
        {
            "size": 0,
            "track_total_hits": False,
            "query": all_of([status_is(statuses), any_of([terms(field, words) for field in m.TEXT_FIELDS])]),
            "aggs": {
                field: {"filters": {"filters": {word: term(field, word) for word in words}}}
                for field in m.TEXT_FIELDS
            },
        }
    )
    counts = Counter[str]()
    for field in m.TEXT_FIELDS:
        for word, bucket in answer["aggregations"][field]["buckets"].items():
            counts[word] += bucket["doc_count"]
    return {word: count for word, count in counts.items() if count}


def _is_prefix(clause: Clause, place: int) -> bool:
    own = clause.phrases[0]
    return own.is_prefix and place == len(own.words) - 1


def _key(word: str, *, is_prefix: bool) -> str:
    return f"{'prefix' if is_prefix else 'word'} {word}"


def _sku_key(clause: Clause) -> str:
    return f"sku {clause.sku}"
