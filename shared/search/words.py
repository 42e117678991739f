"""Texts as words, the same way for indexing and for searching, in every engine.

An engine's own analyser would differ from another's in small things, and hits would differ with it. So the
engines get words that are ready to compare: without case and diacritics, one character each in scripts that
put no space between words.

Case folding and decomposition are Unicode's (chapters 3.13 and 3.11, TR 15). Letters such as `ø` and `ł` have
no decomposition; they are listed here.
"""

import html
import re
import unicodedata
from collections.abc import Sequence

WORD_CHARACTERS_MAX = 64
"""The rest of a longer word does not count."""
# Letters that people type without their stroke, or as two letters.
_UNDECOMPOSED = str.maketrans(
    {
        "ø": "o",
        "đ": "d",
        "ð": "d",
        "ł": "l",
        "ħ": "h",
        "ŧ": "t",
        "\u0131": "i",
        "æ": "ae",
        "œ": "oe",
        "þ": "th",
    }
)
# Han, kana and their iteration marks; Thai, Lao, Khmer and Burmese are written without spaces, too.
_SINGLE = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3005-\u3007\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
)
# Vowel signs of Indian scripts are marks, not letters, and belong to their word (categories Mc and Mn).
_SIGNS = "".join(chr(code) for code in range(0x0900, 0x0E00) if unicodedata.category(chr(code))[0] == "M")
_word = re.compile(rf"[{_SINGLE}]|(?:[^\W_{_SINGLE}]|[{_SIGNS}])+")
_diacritic = re.compile(
    f"[{''.join(each for each in map(chr, range(0x0300, 0xFE30)) if unicodedata.combining(each))}]"
)
_tag = re.compile(r"<[/!a-zA-Z][^<>]*>")
_numeral = re.compile(r"[0-9]")


def folded(text: str) -> str:
    """Without case and diacritics: `Größe` is `grosse`, `Łódź` is `lodz`."""
    if text.isascii():
        return text.lower()
    decomposed = _diacritic.sub("", unicodedata.normalize("NFKD", text.casefold()))
    # Some decompositions have capital letters.
    return decomposed.lower() if decomposed.isascii() else decomposed.casefold().translate(_UNDECOMPOSED)


def words_of(text: str) -> list[str]:
    """The words of a text in their order. Punctuation separates words: `t-shirt` is `t`, `shirt`."""
    return [word[:WORD_CHARACTERS_MAX] for word in _word.findall(folded(text))]


def without_markup(text: str) -> str:
    """The text of an HTML description; a text without markup is not changed."""
    if "<" in text:
        text = _tag.sub(" ", text)
    return html.unescape(text) if "&" in text else text


def phrase(words: Sequence[str]) -> str:
    """Words as one text for an engine that separates at blanks and does nothing else."""
    return " ".join(words)


def has_digit(word: str) -> bool:
    """Words with digits are sizes, models and numbers: a neighbouring one is another product, not a typo."""
    return _numeral.search(word) is not None
