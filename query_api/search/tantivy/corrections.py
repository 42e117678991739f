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

LEXICON_SHARE = 0.05
"""How much of the time may be spent on reading all words: those of a large catalogue take many times as long
as a search.
"""


class Corrected(NamedTuple):
    """`text` None: no word was replaced."""

    query: TextQuery
    text: str | None


class _Known(NamedTuple):
    lexicon: Lexicon
    snapshot: Snapshot
    until: float


class Corrector:
    """Keeps the words of the newest index. Safe in several threads: at worst two of them read the words.

    After words were read, for `1 / share` times as long they count, even if the index has changed.
    """

    def __init__(self, share: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._share = share
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
        if known is not None and known.snapshot is snapshot:
            return known.lexicon
        began = self._clock()
        if known is None or known.snapshot.reader is not snapshot.reader or began >= known.until:
            lexicon = _read(snapshot)
            ended = self._clock()
            known = self._known = _Known(lexicon, snapshot, ended + (ended - began) / self._share)
        return known.lexicon


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
