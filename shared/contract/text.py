"""Brings names (SKUs, slugs, tags ...) into the one form in which they are stored, compared and looked up.

Two names that look the same must be one name. So every process normalises to NFC (Unicode TR 15) before it
validates, stores or looks up: the composed and the decomposed spelling of `é` are one SKU, slug or tag.
Case is kept: `A-1` and `a-1` are two SKUs.

Invisible characters are removed from slugs (soft hyphens, joiners, variation selectors; Unicode's
Default_Ignorable_Code_Point). A slug has letters, marks, digits, `_` and `-`. Vowel signs and combining
accents are marks, so Hindi, Thai or Bengali words stay whole. Signs such as ™ and emoji are not allowed in a
slug: a given slug with them is refused; in a name from which a slug is made, they separate words.
The reasons are in docs/decisions/0015-unicode-form-of-names.md.
"""

import re
import unicodedata
from itertools import dropwhile, groupby

NFC_SHRINKS_TO_A_QUARTER = 4
"""A text of n characters has at least n / 4 characters in NFC: if it is longer than four times a limit, it is
too long in NFC, too."""
_SORTED_BY_NORMALIZE_CHARACTERS_MAX = 128
_VIRAMA = 9  # virama: the combining class of the mark that joins two consonants

_INVISIBLE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164"
    "\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufff8\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
_enclosing = re.compile("[\u0488\u0489\u1abe\u20dd-\u20e0\u20e2-\u20e4\ua670-\ua672]")
# Characters that belong to the one before: Thai and Lao am, halfwidth voicing, Hangul vowels and finals,
# joiners, skin colours and the tags of an emoji.
_attached = re.compile(
    "[\u0e33\u0eb3\uff9e\uff9f\u1160-\u11ff\ud7b0-\ud7fb\u200c\u200d\U0001f3fb-\U0001f3ff\U000e0020-\U000e007f]"
)
_JOINER = "\u200d"
_REGIONAL = "[\U0001f1e6-\U0001f1ff]"  # two of them are a flag
_regional = re.compile(_REGIONAL)
_half_flag = re.compile(f"(?<!{_REGIONAL}){_REGIONAL}(?:{_REGIONAL}{{2}})*\\Z")
_between_ascii_words = re.compile(r"[^a-z0-9]+")


def normal_text(text: str) -> str:
    """NFC. The result may be longer or shorter than `text`: check lengths afterwards."""
    if text.isascii():
        return text
    if len(text) > _SORTED_BY_NORMALIZE_CHARACTERS_MAX and not unicodedata.is_normalized("NFC", text):
        text = _with_sorted_marks(text)
    return unicodedata.normalize("NFC", text)


def normal_slug(text: str) -> str:
    """A given slug in its stored form: NFC, without invisible characters."""
    return text if text.isascii() else normal_text(_INVISIBLE.sub("", text))


def not_in_a_slug(slug: str) -> str | None:
    """The first character that is not allowed in a slug, or None. `slug` is in normal form."""
    return next((character for character in slug if character != "-" and not _is_of_a_word(character)), None)


def slug_problem(slug: str) -> str | None:
    """The reason why this is not a slug, or None; its length is not checked. `slug` is in normal form."""
    character = not_in_a_slug(slug)
    if character is not None:
        return f"{character!r} cannot stand in a slug, which is letters, marks, digits and _ with - between"
    if not slug[:1].isalnum():
        return "a slug begins with a letter or a digit"
    return "a slug does not end with -" if slug[-1] == "-" else None


def slug_of(text: str) -> str:
    """`Größe M / 42` is `größe-m-42`, `เสื้อยืด สีแดง` is `เสื้อยืด-สีแดง`; may be empty.

    Lower case; each run of other characters than letters, marks and digits becomes one hyphen. Marks that
    enclose a letter are left out: they turn letters into signs (the keycap of an emoji is one).
    """
    if text.isascii():
        return _between_ascii_words.sub("-", text.lower()).strip("-")
    lower = normal_slug(_enclosing.sub("", normal_slug(text).lower()))
    spaced = "".join(each if each != "_" and _is_of_a_word(each) else " " for each in lower)
    words = ("".join(dropwhile(_is_mark, word)) for word in spaced.split())
    return "-".join(word for word in words if word)


def cut_slug(slug: str, characters_max: int) -> str:
    """The beginning of a slug, not cut between a letter and its marks; may be empty."""
    return cut_text(slug, characters_max).rstrip("-")


def cut_text(text: str, characters_max: int) -> str:
    """The beginning of a text, not cut inside a letter or an emoji; may be empty."""
    end = min(characters_max, len(text))
    while 0 < end < len(text) and _is_inside_a_letter(text, end):
        end -= 1
    return text[:end]


def _is_inside_a_letter(text: str, place: int) -> bool:
    """Whether the character at `place` belongs to the one before it."""
    return (
        _is_mark(text[place])
        or _attached.match(text, place) is not None
        or text[place - 1] == _JOINER
        or unicodedata.combining(text[place - 1]) == _VIRAMA
        or (_regional.match(text, place) is not None and _half_flag.search(text, 0, place) is not None)
    )


def _is_of_a_word(character: str) -> bool:
    return character.isalnum() or character == "_" or _is_mark(character)


def _is_mark(character: str) -> bool:
    """Categories Mn, Mc, Me: marks on, beside or around the letter before."""
    return unicodedata.category(character)[0] == "M"


def _with_sorted_marks(text: str) -> str:
    """NFD. `normalize` uses an insertion sort for the marks of a letter: a body full of marks would take
    minutes.
    """
    decomposed = "".join(unicodedata.normalize("NFD", character) for character in text)
    runs = groupby(decomposed, lambda character: unicodedata.combining(character) > 0)
    return "".join(
        "".join(sorted(run, key=unicodedata.combining) if are_marks else run) for are_marks, run in runs
    )
