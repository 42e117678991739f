"""What a text finds, in tiers: for each word the best field counts, for a product its worst word.

So a tier is what all words find in its field or better ones. It depends on the product and the query alone,
not on what else is in the index, as a BM25 score would: the order is the same in every process, and a cursor
goes on in any of them.
"""

from collections.abc import Sequence

import tantivy

from query_api.search.query import TIERS, Clause, Phrase, TextQuery
from query_api.search.tantivy import schema as s
from query_api.search.tantivy.filters import all_of, any_of, one_of
from query_api.search.tantivy.index import Snapshot

_SKU_TIER = 0
_LAST_TIER = len(TIERS) - 1
_WORDS_MAX = 500


class TextTiers:
    """The queries of one text; None instead of a query that finds nothing, so that it is never run. Those of
    a field and of a tier are made once: several tiers contain them.
    """

    def __init__(self, text: TextQuery, snapshot: Snapshot) -> None:
        self._text = text
        self._snapshot = snapshot
        self._made: dict[tuple[str, Phrase], tantivy.Query | None] = {}
        self._tiers: dict[int, tantivy.Query | None] = {}

    def matching(self) -> tantivy.Query:
        """All that the text finds."""
        found = self._up_to(_LAST_TIER)
        return tantivy.Query.empty_query() if found is None else self._without_excluded(found)

    def tier(self, number: int) -> tantivy.Query | None:
        """What it finds in this tier and no better one."""
        query = self._up_to(number)
        if query is None or (number > _SKU_TIER and not self._finds_more(number)):
            return None
        better = None if number == _SKU_TIER else self._up_to(number - 1)
        if better is not None:
            query = query.and_must_not_match(better)
        return self._without_excluded(query)

    def _finds_more(self, tier: int) -> bool:
        """Whether the field of this tier has a word that was asked for."""
        if not self._text.required:
            return tier == _LAST_TIER
        return any(self._in_tier(clause, tier) for clause in self._text.required)

    def _up_to(self, tier: int) -> tantivy.Query | None:
        if tier not in self._tiers:
            self._tiers[tier] = self._in_all_tiers_up_to(tier)
        return self._tiers[tier]

    def _in_all_tiers_up_to(self, tier: int) -> tantivy.Query | None:
        if not self._text.required:
            # A text that only excludes finds all others, in the last tier.
            return tantivy.Query.all_query() if tier == _LAST_TIER else None
        clauses = [self._clause(clause, tier) for clause in self._text.required]
        queries = [query for query in clauses if query is not None]
        words = all_of(queries) if len(queries) == len(clauses) else None
        return _any([self._sku(self._text.whole), words])

    def _without_excluded(self, query: tantivy.Query) -> tantivy.Query:
        clauses = [self._clause(clause, _LAST_TIER) for clause in self._text.excluded]
        excluded = [clause for clause in clauses if clause is not None]
        return query.and_must_not_match(*excluded) if excluded else query

    def _clause(self, clause: Clause, tier: int) -> tantivy.Query | None:
        if tier == _LAST_TIER:
            return self._in_any_field(clause)
        return _any([each for number in range(tier + 1) for each in self._in_tier(clause, number)])

    def _in_any_field(self, clause: Clause) -> tantivy.Query | None:
        """What is found in the last tier or a better one. A phrase has to be in one field, a word has not."""
        found = [self._sku(clause.sku) if clause.sku else None]
        for phrase in clause.phrases:
            fields = s.TEXT_FIELDS if len(phrase.words) > 1 else (s.ANY_WORDS,)
            found += [self._phrase(field, phrase) for field in fields]
        return _any([*found, self._beginning_sku(clause)])

    def _in_tier(self, clause: Clause, tier: int) -> Sequence[tantivy.Query]:
        """Only what is found in the field of this tier."""
        if tier == _SKU_TIER:
            found = [self._sku(clause.sku) if clause.sku else None]
        else:
            found = [self._phrase(s.TEXT_FIELDS[tier - 1], phrase) for phrase in clause.phrases]
        if tier == _LAST_TIER:
            found.append(self._beginning_sku(clause))
        return [each for each in found if each is not None]

    def _sku(self, sku: str) -> tantivy.Query | None:
        return self._phrase(s.SKU, Phrase((sku,)))

    def _beginning_sku(self, clause: Clause) -> tantivy.Query | None:
        """SKUs that begin with what may go on."""
        sku = clause.sku
        if not sku or not clause.phrases[0].is_prefix or len(sku) < s.SKU_STARTS.start:
            return None
        if len(sku) in s.SKU_STARTS:
            return self._phrase(s.SKU_START, Phrase((sku,)))
        return self._phrase(s.SKU, Phrase((sku,), is_prefix=True))

    def _phrase(self, field: str, phrase: Phrase) -> tantivy.Query | None:
        place = field, phrase
        if place not in self._made:
            self._made[place] = phrase_query(self._snapshot, field, phrase)
        return self._made[place]


def phrase_query(snapshot: Snapshot, field: str, phrase: Phrase) -> tantivy.Query | None:
    """The phrase in this field; None: no product has it, as far as its words alone can tell."""
    *first, last = phrase.words
    searcher = snapshot.searcher
    if not all(searcher.doc_freq(field, word) for word in (first if phrase.is_prefix else phrase.words)):
        return None
    if not phrase.is_prefix:
        if not first:
            return tantivy.Query.term_query(snapshot.schema, field, last, "basic")
        return tantivy.Query.phrase_query(snapshot.schema, field, list(phrase.words))
    words = snapshot.terms(field, last, _WORDS_MAX + 1)
    if not words:
        return None
    if first:
        return tantivy.Query.regex_phrase_query(snapshot.schema, field, [*first, f"{_literal(last)}.*"])
    if len(words) > _WORDS_MAX:
        return tantivy.Query.regex_query(snapshot.schema, field, f"{_literal(last)}.*")
    # A pattern is compiled anew for each query, and takes longer than many searches.
    return one_of(snapshot, field, words)


def _any(queries: Sequence[tantivy.Query | None]) -> tantivy.Query | None:
    possible = [query for query in queries if query is not None]
    return any_of(possible) if possible else None


def _literal(text: str) -> str:
    """For tantivy's patterns. They refuse a backslash before a letter, a digit, or any sign beyond ASCII."""
    return "".join(f"\\{each}" if each.isascii() and not each.isalnum() else each for each in text)
