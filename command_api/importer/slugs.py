"""Words for addresses, made the same way on every run because SKUs and categories are built from them."""

import re
import unicodedata

_between_words = re.compile(r"[\W_]+")


def slug_of(text: str) -> str:
    """`Größe M / 42` is `größe-m-42`: letters of any script stay, all else is one hyphen; may be empty.

    The same as the API makes of a name; NFC, so that the two spellings of `é` are one SKU.
    """
    return _between_words.sub("-", unicodedata.normalize("NFC", text).lower()).strip("-")


def category_path(text: str) -> str | None:
    """`Apparel & Accessories > Clothing` is `apparel-accessories/clothing`; None where no word is left."""
    segments = [slug_of(segment) for segment in text.split(">")]
    return "/".join(segment for segment in segments if segment) or None
