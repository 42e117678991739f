"""Reads numbers and ids from text, in one spelling: Python also accepts others, which are callers'
mistakes.
"""

import re
from uuid import UUID

_digits = re.compile(r"[0-9]{1,18}", re.ASCII)
UUID_PATTERN = "[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}"
_uuid = re.compile(UUID_PATTERN)


def whole_number(text: str) -> int:
    """Accepts ASCII digits only: no sign, blank, `_` or fraction. Raises ValueError."""
    if _digits.fullmatch(text) is None:
        raise ValueError("must be a whole number in digits")
    return int(text)


def canonical_uuid(text: str) -> UUID:
    """Accepts 8-4-4-4-12 hexadecimal digits in any case: no braces, no `urn:uuid:`. Raises ValueError."""
    if _uuid.fullmatch(text) is None:
        raise ValueError("must be a UUID such as 01920000-0000-7000-8000-000000000000")
    return UUID(text)
