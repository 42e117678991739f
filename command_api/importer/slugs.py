"""Slugs and category paths out of a file's words, made the same way on every run."""

from shared.contract.text import normal_slug, slug_of, slug_problem


def slug_of_handle(handle: str) -> str:
    """The slug that a handle stands for; empty where no word is left.

    A handle that can be a slug stays as it is, in normal form. Of any other (signs such as ™, emoji, blanks,
    slashes, hyphens at its ends) the slug is what its words make: `Tea™ / 100 g` is `tea-100-g`.
    """
    normal = normal_slug(handle)
    return normal if slug_problem(normal) is None else slug_of(normal)


def category_path(text: str) -> str | None:
    """`Apparel & Accessories > Clothing` is `apparel-accessories/clothing`; None where no word is left."""
    segments = [slug_of(segment) for segment in text.split(">")]
    return "/".join(segment for segment in segments if segment) or None
