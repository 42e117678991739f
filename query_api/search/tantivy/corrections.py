"""Replaces words that no product has by the nearest ones of the catalogue.

Only such words: a word that is right for one product must not bring in others, and costs nothing to look up.
"""

import time
from collections.abc import Callable
from typing import NamedTuple

from query_api.search.lexicon import Lexicon
from query_api.search.query import Clause, Phrase, TextQuery
from query_api.search.tantivy import schema as s
from query_api.search.tantivy.index import Snapshot
from query_api.search.text_query import written

# The words of a catalogue change slowly, and reading all of them takes many times as long as a search.
LEXICON_SECONDS = 5.0


class Corrected(NamedTuple):
    """`text` None: no word was replaced."""

    query: TextQuery
    text: str | None


class _Known(NamedTuple):
    lexicon: Lexicon
    snapshot: Snapshot
    read_at: float


class Corrector:
    """Keeps the words of the newest index. Safe in several threads: at worst two of them read the words."""

    def __init__(self, lexicon_seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        """`lexicon_seconds`: how old the words may be."""
        self._lexicon_seconds = lexicon_seconds
        self._clock = clock
        self._known: _Known | None = None

    def corrected(self, text: TextQuery, snapshot: Snapshot) -> Corrected:
        """The query with what its unknown words may have meant."""
        required = tuple(self._clause(clause, snapshot) for clause in text.required)
        if required == text.required:
            return Corrected(text, None)
        return Corrected(text._replace(required=required), written(text._replace(required=required)))

    def _clause(self, clause: Clause, snapshot: Snapshot) -> Clause:
        own = clause.phrases[0]
        if clause.is_literal or _is_sku(clause, snapshot):
            return clause
        unknown = [
            word
            for place, word in enumerate(own.words, start=1)
            if not _is_known(word, snapshot, is_prefix=own.is_prefix and place == len(own.words))
        ]
        if not unknown:
            return clause
        meant = {word: self._lexicon(snapshot).corrections(word) for word in unknown}
        if not all(meant.values()):
            return clause
        if len(own.words) == 1:
            phrases = [Phrase((word,)) for word in meant[own.words[0]]]
        else:
            phrases = [Phrase(tuple(meant[word][0] if word in meant else word for word in own.words))]
        return clause._replace(phrases=(*phrases, *clause.phrases[1:]))

    def _lexicon(self, snapshot: Snapshot) -> Lexicon:
        known = self._known
        if known is None or not self._is_new_enough(known, snapshot):
            known = self._known = _Known(_read(snapshot), snapshot, self._clock())
        return known.lexicon

    def _is_new_enough(self, known: _Known, snapshot: Snapshot) -> bool:
        if known.snapshot.reader is not snapshot.reader:
            return False
        return (
            known.snapshot.generation == snapshot.generation
            or self._clock() - known.read_at < self._lexicon_seconds
        )


def _is_sku(clause: Clause, snapshot: Snapshot) -> bool:
    return clause.sku is not None and snapshot.searcher.doc_freq(s.SKU, clause.sku) > 0


def _is_known(word: str, snapshot: Snapshot, *, is_prefix: bool) -> bool:
    searcher = snapshot.searcher
    if is_prefix:
        return any(searcher.terms_with_prefix(field, word, None, 1) for field in (*s.TEXT_FIELDS, s.SKU))
    return any(searcher.doc_freq(field, word) for field in s.TEXT_FIELDS)


def _read(snapshot: Snapshot) -> Lexicon:
    counts: dict[str, int] = {}
    for field in s.TEXT_FIELDS:
        for word, products in snapshot.searcher.terms_with_prefix(field, ""):
            counts[word] = counts.get(word, 0) + products
    return Lexicon(counts)
