"""If-Match on a read (RFC 9110, 13.1.1): a condition is evaluated, never silently dropped.

If-Modified-Since and If-Unmodified-Since are ignored, as the RFC wants it where there is no Last-Modified; so
are Range and If-Range, because no address here serves ranges.
"""

import re

from starlette.requests import Request

from query_api.errors import MalformedHeader, PreconditionFailed

_tag = r'"[\x21\x23-\x7e]*"'
# A tag may hold commas, so the list is matched whole and never split at them.
_tags = re.compile(rf"[ \t,]*{_tag}(?:[ \t]*,[ \t,]*(?:{_tag})?)*[ \t,]*")


def require_match(request: Request, stream_version: int | None) -> None:
    """Raises `PreconditionFailed` where If-Match names other versions, `MalformedHeader` for weak or unquoted
    tags. `stream_version` is None where an answer has no entity tag: no tag can match it, `*` does.
    """
    values = request.headers.getlist("if-match")
    given = ",".join(values).strip()
    if not values or given == "*":
        return
    if _tags.fullmatch(given) is None:
        raise MalformedHeader("If-Match", 'takes "*" or a list of quoted strong entity tags, such as "3"')
    if stream_version is None:
        raise PreconditionFailed("this address has no entity tag", None)
    if f'"{stream_version}"' not in re.findall(_tag, given):
        raise PreconditionFailed(f"the product is at version {stream_version}", stream_version)
