"""Text that names things, in the one form in which it is stored, compared and looked up.

Two names that look the same must be one name. So every process normalises to NFC (Unicode TR 15) before it
validates, stores or looks up: the composed and the decomposed spelling of `é` are one SKU, slug or tag.
Case is kept: `A-1` and `a-1` are two SKUs.

A slug also loses what cannot be seen (soft hyphens, joiners, variation selectors; Unicode's
Default_Ignorable_Code_Point). It holds letters, marks, digits, `_` and `-`. Vowel signs and combining
accents are marks, so Hindi, Thai or Bengali words stay whole. Signs such as ™ and emoji are no part of a
slug: a slug that is given with them is refused; where a slug is made from a name they separate words.
"""

import re
import unicodedata

_INVISIBLE_MARKS = "\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef"
_INVISIBLE = re.compile(
    f"[\u00ad\u061c\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff\U000e0000-\U000e007f{_INVISIBLE_MARKS}]"
)


def normal_text(text: str) -> str:
    """NFC. The result may be longer or shorter than `text`: check lengths afterwards."""
    return text if text.isascii() else unicodedata.normalize("NFC", text)


def normal_slug(text: str) -> str:
    """A given slug in the form in which it is stored and looked up: NFC, without invisible characters."""
    return text if text.isascii() else unicodedata.normalize("NFC", _INVISIBLE.sub("", text))


def not_in_a_slug(slug: str) -> str | None:
    """The first character that a slug cannot hold, None where there is no such. `slug` is in normal form."""
    return next((character for character in slug if character != "-" and not _is_of_a_word(character)), None)


def slug_of(text: str) -> str:
    """`Größe M / 42` is `größe-m-42`, `เสื้อยืด สีแดง` is `เสื้อยืด-สีแดง`; may be empty.

    Lower case; each run of anything but letters, marks and digits is one hyphen.
    """
    lower = normal_slug(normal_slug(text).lower())
    spaced = "".join(each if each != "_" and _is_of_a_word(each) else " " for each in lower)
    words = (word.lstrip("".join(filter(_is_mark, word))) for word in spaced.split())
    return "-".join(word for word in words if word)


def _is_of_a_word(character: str) -> bool:
    return character.isalnum() or character == "_" or _is_mark(character)


def _is_mark(character: str) -> bool:
    """Mn, Mc, Me: what is written on, beside or around the letter before it."""
    return unicodedata.category(character)[0] == "M"
