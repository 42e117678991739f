"""Text as PostgreSQL can store it."""

_NUL, _NUL_SHOWN = "\0", "\\0"


def storable(text: str) -> str:
    """The text with the characters `\\0` for each NUL, which PostgreSQL does not store."""
    return text.replace(_NUL, _NUL_SHOWN)
