"""Slugs and category paths out of a file's words, made the same way on every run."""

import unicodedata

from shared.contract.text import normal_slug, not_in_a_slug, slug_of


def slug_of_handle(handle: str) -> str:
    """The slug that a handle stands for; empty where no word is left.

    A handle that can be a slug stays as it is, in normal form. Of any other (signs such as ™, emoji, blanks,
    slashes, hyphens at its ends) the slug is what its words make: `Tea™ / 100 g` is `tea-100-g`.
    """
    normal = normal_slug(handle)
    return normal if normal and _can_be_a_slug(normal) else slug_of(normal)


def _can_be_a_slug(normal: str) -> bool:
    starts_with_a_letter = normal[0] not in "-_" and not unicodedata.category(normal[0]).startswith("M")
    return starts_with_a_letter and not normal.endswith("-") and not_in_a_slug(normal) is None


def category_path(text: str) -> str | None:
    """`Apparel & Accessories > Clothing` is `apparel-accessories/clothing`; None where no word is left."""
    segments = [slug_of(segment) for segment in text.split(">")]
    return "/".join(segment for segment in segments if segment) or None
