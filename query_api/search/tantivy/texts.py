"""What a text finds, in tiers: for each word the best field counts, for a product its worst word.

So a tier is what all words find in its field or better ones. It depends on the product and the query alone,
not on what else is in the index, as a BM25 score would: the order is the same in every process, and a cursor
goes on in any of them.
"""

from collections.abc import Sequence

import tantivy

from query_api.search.query import TIERS, Clause, Phrase, TextQuery
from query_api.search.tantivy import schema as s
from query_api.search.tantivy.filters import all_of, any_of
from query_api.search.tantivy.index import Snapshot

_SKU_TIER = 0
_LAST_TIER = len(TIERS) - 1
_WORDS_MAX = 500
# A shorter beginning of a SKU is one of too many.
SKU_PREFIX_CHARACTERS_MIN = 3


class TextTiers:
    """The queries of one text. Those of a field are made once: several tiers contain them."""

    def __init__(self, text: TextQuery, snapshot: Snapshot) -> None:
        self._text = text
        self._snapshot = snapshot
        self._schema = snapshot.schema
        self._made: dict[tuple[str, Phrase], tantivy.Query] = {}

    def matching(self) -> tantivy.Query:
        """All that the text finds."""
        return self._without_excluded(self._up_to(_LAST_TIER))

    def tier(self, number: int) -> tantivy.Query:
        """What it finds in this tier and no better one."""
        query = self._up_to(number)
        if number > 0:
            query = query.and_must_not_match(self._up_to(number - 1))
        return self._without_excluded(query)

    def _up_to(self, tier: int) -> tantivy.Query:
        parts = [self._clause(clause, tier) for clause in self._text.required]
        words = all_of(parts) if parts else self._nothing_required(tier)
        return any_of([self._sku(self._text.whole), words]) if self._text.required else words

    def _nothing_required(self, tier: int) -> tantivy.Query:
        """A text that only excludes finds all others, in the last tier."""
        return tantivy.Query.all_query() if tier == _LAST_TIER else tantivy.Query.empty_query()

    def _without_excluded(self, query: tantivy.Query) -> tantivy.Query:
        excluded = [self._clause(clause, _LAST_TIER) for clause in self._text.excluded]
        return query.and_must_not_match(*excluded) if excluded else query

    def _clause(self, clause: Clause, tier: int) -> tantivy.Query:
        queries = [self._sku(clause.sku)] if clause.sku else []
        for number in range(_SKU_TIER + 1, tier + 1):
            queries += [self._phrase(s.TEXT_FIELDS[number - 1], phrase) for phrase in clause.phrases]
        if tier == _LAST_TIER and clause.phrases[0].is_prefix and clause.sku:
            queries += self._sku_prefix(clause.sku)
        return any_of(queries) if queries else tantivy.Query.empty_query()

    def _sku(self, sku: str) -> tantivy.Query:
        return tantivy.Query.term_query(self._schema, s.SKU, sku, "basic")

    def _sku_prefix(self, sku: str) -> Sequence[tantivy.Query]:
        if len(sku) < SKU_PREFIX_CHARACTERS_MIN:
            return ()
        return [self._phrase(s.SKU, Phrase((sku,), is_prefix=True))]

    def _phrase(self, field: str, phrase: Phrase) -> tantivy.Query:
        query = self._made.get((field, phrase))
        if query is None:
            query = self._made[field, phrase] = phrase_query(self._snapshot, field, phrase)
        return query


def phrase_query(snapshot: Snapshot, field: str, phrase: Phrase) -> tantivy.Query:
    """The phrase in this field."""
    *first, last = phrase.words
    if not phrase.is_prefix:
        if not first:
            return tantivy.Query.term_query(snapshot.schema, field, last, "basic")
        return tantivy.Query.phrase_query(snapshot.schema, field, list(phrase.words))
    if first:
        return tantivy.Query.regex_phrase_query(snapshot.schema, field, [*first, f"{_literal(last)}.*"])
    words = [word for word, _ in snapshot.searcher.terms_with_prefix(field, last, None, _WORDS_MAX + 1)]
    if len(words) > _WORDS_MAX:
        return tantivy.Query.regex_query(snapshot.schema, field, f"{_literal(last)}.*")
    # A pattern is compiled anew for each query, and takes longer than many searches.
    return tantivy.Query.term_set_query(snapshot.schema, field, words)


def _literal(text: str) -> str:
    """For tantivy's patterns. They refuse a backslash before a letter, a digit, or any sign beyond ASCII."""
    return "".join(f"\\{each}" if each.isascii() and not each.isalnum() else each for each in text)
