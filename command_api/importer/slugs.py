"""Makes slugs and category paths from the words of a file, the same on every run."""

from shared.contract.text import normal_slug, slug_of, slug_problem


def slug_of_handle(handle: str) -> str:
    """The slug of a handle; empty if the handle has no word.

    A handle that is a valid slug is not changed, except for its normal form. For any other (with signs such
    as ™, emoji, blanks, slashes, hyphens at its ends) the slug is made of its words: `Tea™ / 100 g` is
    `tea-100-g`.
    """
    normal = normal_slug(handle)
    return normal if slug_problem(normal) is None else slug_of(normal)


def category_path(text: str) -> str | None:
    """`Apparel & Accessories > Clothing` is `apparel-accessories/clothing`; None if it has no word."""
    segments = [slug_of(segment) for segment in text.split(">")]
    return "/".join(segment for segment in segments if segment) or None
