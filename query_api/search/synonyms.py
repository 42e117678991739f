"""Synonyms of the installation: a file in the form that Solr made common.

    # a comment
    sofa, couch, settee            each of them finds the others
    tee => t-shirt, tshirt         `tee` finds what these find, but not the other way round

They are applied to queries and not to the index, so a changed file needs a restart and no new index.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from shared.search.words import words_of

Words = tuple[str, ...]
ENTRY_WORDS_MAX = 4
RULES_MAX = 20_000


class MalformedSynonyms(ValueError):
    """The file has a line that is no rule; the text names the line."""


class Synonyms(NamedTuple):
    """What else is looked for, by words in normal form."""

    others: Mapping[Words, Sequence[Words]]

    def of(self, words: Words) -> Sequence[Words]:
        """The other wordings, without `words` itself."""
        return self.others.get(words, ())


NO_SYNONYMS = Synonyms({})


def synonyms_of(path: Path | None) -> Synonyms:
    """The rules of the file, if there is one. Raises `MalformedSynonyms`, or `OSError`."""
    return NO_SYNONYMS if path is None else read_synonyms(path)


def read_synonyms(path: Path) -> Synonyms:
    """The rules of a file. Raises `MalformedSynonyms`, or `OSError`."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except UnicodeDecodeError as error:
        raise MalformedSynonyms(f"{path} is not UTF-8") from error
    if len(lines) > RULES_MAX:
        raise MalformedSynonyms(f"{path} has more than {RULES_MAX} lines")
    others: dict[Words, list[Words]] = {}
    for number, line in enumerate(lines, start=1):
        rule = line.partition("#")[0].strip()
        if rule:
            for words, other in _pairs(rule, f"{path}, line {number}"):
                if other != words and other not in others.setdefault(words, []):
                    others[words].append(other)
    return Synonyms(others)


def _pairs(rule: str, place: str) -> list[tuple[Words, Words]]:
    left, arrow, right = rule.partition("=>")
    found = _entries(left, place)
    if not arrow:
        if len(found) < 2:
            raise MalformedSynonyms(f"{place}: one entry alone is no synonym")
        return [(one, other) for one in found for other in found]
    return [(one, other) for one in found for other in _entries(right, place)]


def _entries(text: str, place: str) -> list[Words]:
    entries = [tuple(words_of(part)) for part in text.split(",")]
    if not all(entries):
        raise MalformedSynonyms(f"{place}: an entry has no word")
    if any(len(entry) > ENTRY_WORDS_MAX for entry in entries):
        raise MalformedSynonyms(f"{place}: an entry has more than {ENTRY_WORDS_MAX} words")
    return entries
