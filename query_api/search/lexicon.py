"""The words of the catalogue, and which of them somebody may have meant who wrote a word that none has.

One letter may be wrong, missing, too many or exchanged with its neighbour in words of up to 7 letters, two in
longer ones, if the first letter is right (Damerau-Levenshtein, optimal string alignment). Words with digits
and words of one or two letters are never corrected: a neighbouring one is another size, model or word.
"""

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby

from rapidfuzz import process
from rapidfuzz.distance import OSA

from query_api.search.query import Clause, Phrase
from shared.search.words import has_digit

CORRECTIONS_MAX = 5
_LETTERS_MIN = 3
_LETTERS_OF_ONE_MISTAKE_MAX = 7


def mistakes_max(word: str) -> int:
    """How many letters of this word may be wrong."""
    if len(word) < _LETTERS_MIN or has_digit(word):
        return 0
    return 1 if len(word) <= _LETTERS_OF_ONE_MISTAKE_MAX else 2


def with_corrections(clause: Clause, meant: Mapping[str, Sequence[str]]) -> Clause:
    """The clause with what its unknown words may have meant: all that a single word may mean, the nearest in
    a phrase. If one of them is like no other word, the clause stays as it is.
    """
    own = clause.phrases[0]
    if not meant or not all(meant.values()):
        return clause
    if len(own.words) == 1:
        phrases = [Phrase((word,)) for word in meant[own.words[0]]]
    else:
        phrases = [Phrase(tuple(meant[word][0] if word in meant else word for word in own.words))]
    return clause._replace(phrases=(*phrases, *clause.phrases[1:]))


class Lexicon:
    """Words and in how many fields of products they are, at one moment."""

    def __init__(self, counts: Mapping[str, int]) -> None:
        self._counts = counts
        words = sorted((word for word in counts if not has_digit(word)), key=len)
        self._by_length = {length: list(group) for length, group in groupby(words, key=len)}

    def corrections(self, word: str) -> Sequence[str]:
        """The nearest words, at most `CORRECTIONS_MAX`: fewest mistakes first, then the most frequent, then
        by alphabet. Only those with the fewest mistakes.
        """
        allowed = mistakes_max(word)
        if not allowed:
            return ()
        found = list(self._near(word, allowed))
        fewest = min((mistakes for mistakes, _ in found), default=0)
        nearest = (each for mistakes, each in found if mistakes == fewest)
        return sorted(nearest, key=lambda each: (-self._counts[each], each))[:CORRECTIONS_MAX]

    def _near(self, word: str, allowed: int) -> Iterable[tuple[int, str]]:
        for length in range(len(word) - allowed, len(word) + allowed + 1):
            candidates = self._by_length.get(length, ())
            found = process.extract(word, candidates, scorer=OSA.distance, score_cutoff=allowed, limit=None)
            for each, mistakes, _ in found:
                # OpenSearch looks up two mistakes only behind a right letter, and few people mistake it.
                if mistakes < 2 or each[0] == word[0]:
                    yield int(mistakes), each
