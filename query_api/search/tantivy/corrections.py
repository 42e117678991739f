"""Replaces words that no product has by the nearest ones of the catalogue.

Only such words: a word that is right for one product must not bring in others, and costs nothing to look up.
"""

import time
from collections.abc import Callable
from typing import NamedTuple

import tantivy

from query_api.search.corrected import Corrected, corrected
from query_api.search.lexicon import Lexicon, with_corrections
from query_api.search.query import Clause, TextQuery
from query_api.search.tantivy import schema as s
from query_api.search.tantivy.filters import all_of, one_of
from query_api.search.tantivy.index import Snapshot

Statuses = tuple[str, ...]
LEXICON_SHARE = 0.05
"""How much of the time may be spent on reading all words: those of a large catalogue take many times as long
as a search.
"""


class _Known(NamedTuple):
    lexicon: Lexicon
    snapshot: Snapshot
    until: float


class Corrector:
    """Keeps the words of the newest index, by statuses: the words of a draft must not show in the corrections
    of somebody who may not read drafts. Safe in several threads: at worst two of them read the words.

    After words were read, for `1 / share` times as long they count, even if the index has changed.
    """

    def __init__(self, share: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._share = share
        self._clock = clock
        self._known: dict[Statuses, _Known] = {}

    def corrected(
        self, text: TextQuery, statuses: Statuses, snapshot: Snapshot, *, is_found: bool = False
    ) -> Corrected:
        """The query with what its unknown words may have meant: unknown to all products of these statuses.

        `is_found`: one of these products has all the words, so those with one wording are not looked up.
        """
        words = _Words(snapshot, statuses)
        required = tuple(
            clause if is_found and _has_one_wording(clause) else self._clause(clause, words)
            for clause in text.required
        )
        return corrected(text, required)

    def _clause(self, clause: Clause, words: "_Words") -> Clause:
        own = clause.phrases[0]
        if clause.is_literal or (clause.sku is not None and words.have(s.SKU, clause.sku)):
            return clause
        unknown = [
            word
            for place, word in enumerate(own.words, start=1)
            if not words.are_known(word, is_prefix=own.is_prefix and place == len(own.words))
        ]
        return with_corrections(clause, {word: self._lexicon(words).corrections(word) for word in unknown})

    def _lexicon(self, words: "_Words") -> Lexicon:
        known, snapshot = self._known.get(words.statuses), words.snapshot
        if known is not None and known.snapshot is snapshot:
            return known.lexicon
        began = self._clock()
        if known is None or known.snapshot.reader is not snapshot.reader or began >= known.until:
            lexicon = Lexicon(words.counts())
            ended = self._clock()
            known = _Known(lexicon, snapshot, ended + (ended - began) / self._share)
            self._known[words.statuses] = known
        return known.lexicon


def _has_one_wording(clause: Clause) -> bool:
    """A clause that is found by its word alone, also if as a SKU."""
    own, *others = clause.phrases
    return not others and len(own.words) == 1 and clause.sku in (None, own.words[0])


class _Words:
    """The words of products with one of these statuses."""

    def __init__(self, snapshot: Snapshot, statuses: Statuses) -> None:
        self.snapshot = snapshot
        self.statuses = statuses
        self._of_statuses = one_of(snapshot, s.STATUS, statuses)

    def have(self, field: str, word: str) -> bool:
        """Whether a product has this word in the field. Unknown words need no search: no product has them."""
        snapshot = self.snapshot
        if not snapshot.searcher.doc_freq(field, word):
            return False
        query = tantivy.Query.term_query(snapshot.schema, field, word, "basic")
        return bool(snapshot.searcher.search(all_of([self._of_statuses, query]), 1, count=False).hits)

    def are_known(self, word: str, *, is_prefix: bool) -> bool:
        """Whether a product has this word, or one that begins with it."""
        if self.have(s.ANY_WORDS, word):
            return True
        return is_prefix and any(self._begin(field, word) for field in (s.ANY_WORDS, s.SKU))

    def counts(self) -> dict[str, int]:
        """In how many fields of products each word is."""
        counts: dict[str, int] = {}
        for field in s.TEXT_FIELDS:
            for word, products in self.snapshot.searcher.terms_with_prefix(field, "", self._of_statuses):
                counts[word] = counts.get(word, 0) + products
        return counts

    def _begin(self, field: str, prefix: str) -> bool:
        searcher = self.snapshot.searcher
        if not searcher.terms_with_prefix(field, prefix, None, 1):
            return False
        return bool(searcher.terms_with_prefix(field, prefix, self._of_statuses, 1))
