"""If-Match as both APIs read it (RFC 9110, 8.8.3 and 13.1.1): strong entity tags, or `*`."""

import re
from collections.abc import Sequence

WANTED = 'takes "*" or a list of quoted strong entity tags, such as "3"'
"""The text of the refusal."""
_tag = re.compile(r'"([\x21\x23-\x7e]*)"')
# A tag may contain commas, so the list is matched as a whole and never split at them.
_tags = re.compile(rf"[ \t,]*{_tag.pattern}(?:[ \t]*,[ \t,]*(?:{_tag.pattern})?)*[ \t,]*")


def wanted_tags(values: Sequence[str]) -> list[str] | None:
    """The tags in these If-Match headers, without their quotes; None if any tag matches: no header, or `*`.

    Raises ValueError for weak or unquoted ones.
    """
    given = ",".join(values).strip()
    if not values or given == "*":
        return None
    if _tags.fullmatch(given) is None:
        raise ValueError(WANTED)
    return _tag.findall(given)
