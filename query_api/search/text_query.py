"""What somebody types into a search box, as a `TextQuery`.

    blue shirt        both words, in any field; the last one may go on: `shi` finds `shirt`
    "blue shirt"      these words one after the other
    -cotton           without this word, or -"organic cotton"
    OBS-M             a SKU, or the words `obs` and `m` one after the other

Every text is a query: a quotation mark that is not closed ends with the text, and signs that are no words
count for nothing.
"""

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from query_api.search.query import Clause, Phrase, TextQuery
from query_api.search.synonyms import ENTRY_WORDS_MAX, NO_SYNONYMS, Synonyms
from shared.search.words import folded, words_of

CLAUSES_MAX = 16
# Quotation marks of other keyboards count as the plain one.
_QUOTES = str.maketrans("“”„‟«»", '""""""')
_part = re.compile(r'(?P<minus>-?)(?:"(?P<quoted>[^"]*)"?|(?P<plain>[^\s"]+))')


class TooManyWords(ValueError):
    """The text has more than `CLAUSES_MAX` words and phrases."""


class _Part(NamedTuple):
    text: str
    words: tuple[str, ...]
    is_quoted: bool
    is_excluded: bool


def parse_text(text: str, synonyms: Synonyms = NO_SYNONYMS, *, is_prefix: bool = True) -> TextQuery | None:
    """The query, or None if the text has no word. Raises `TooManyWords`."""
    parts = [part for part in _parts(text) if part.words]
    if len(parts) > CLAUSES_MAX:
        raise TooManyWords(f"has more than {CLAUSES_MAX} words")
    if not parts:
        return None
    last = parts[-1]
    may_go_on = is_prefix and not last.is_quoted and not last.is_excluded
    required = [part for part in parts if not part.is_excluded]
    return TextQuery(
        folded(text.strip()),
        tuple(_clauses(required, synonyms, may_go_on)),
        tuple(
            Clause((Phrase(part.words),), _sku(part), is_literal=True) for part in parts if part.is_excluded
        ),
    )


def written(text: TextQuery) -> str:
    """The query as somebody would have typed it."""
    required = [_words(clause) for clause in text.required]
    return " ".join([*required, *(f"-{_words(clause)}" for clause in text.excluded)])


def _parts(text: str) -> Iterator[_Part]:
    for match in _part.finditer(text.translate(_QUOTES)):
        quoted = match["quoted"]
        given = match["plain"] if quoted is None else quoted
        yield _Part(given, tuple(words_of(given)), quoted is not None, bool(match["minus"]))


def _clauses(parts: Sequence[_Part], synonyms: Synonyms, may_go_on: bool) -> Iterator[Clause]:
    """A run of words that the synonyms know as one entry is one clause."""
    at = 0
    while at < len(parts):
        taken, others = _known(parts[at:], synonyms)
        words = tuple(word for part in parts[at : at + taken] for word in part.words)
        at += taken
        own = Phrase(words, is_prefix=may_go_on and at == len(parts))
        sku = _sku(parts[at - 1]) if taken == 1 else None
        yield Clause((own, *map(Phrase, others)), sku, is_literal=parts[at - 1].is_quoted)


def _known(parts: Sequence[_Part], synonyms: Synonyms) -> tuple[int, Sequence[tuple[str, ...]]]:
    """How many parts the longest known entry at the beginning has, and its other wordings."""
    if not parts[0].is_quoted and synonyms.others:
        for count in range(min(ENTRY_WORDS_MAX, len(parts)), 0, -1):
            run = parts[:count]
            others = synonyms.of(tuple(word for part in run for word in part.words))
            if others and not any(part.is_quoted for part in run):
                return count, others
    return 1, ()


def _sku(part: _Part) -> str:
    """SKUs may have blanks, so a quoted one can be given whole."""
    return folded(part.text.strip())


def _words(clause: Clause) -> str:
    words = " ".join(clause.phrases[0].words)
    return f'"{words}"' if clause.is_literal and len(clause.phrases[0].words) > 1 else words
