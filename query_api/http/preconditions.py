"""Evaluates If-Match on a read (RFC 9110, 13.1.1); a condition is never silently dropped.

If-Modified-Since and If-Unmodified-Since are ignored, as the RFC requires without Last-Modified. Range and
If-Range are ignored because no address here serves ranges.
"""

from starlette.requests import Request

from query_api.errors import MalformedHeader, PreconditionFailed
from shared.ops.http.entity_tags import wanted_tags


def require_match(request: Request, stream_version: int | None) -> None:
    """Raises `PreconditionFailed` if If-Match names other versions, `MalformedHeader` for weak or unquoted
    tags. `stream_version` is None if an answer has no entity tag: no tag matches it, `*` does.
    """
    try:
        tags = wanted_tags(request.headers.getlist("if-match"))
    except ValueError as error:
        raise MalformedHeader("If-Match", str(error)) from error
    if tags is None:
        return
    if stream_version is None:
        raise PreconditionFailed("this address has no entity tag", None)
    if str(stream_version) not in tags:
        raise PreconditionFailed(f"the product is at version {stream_version}", stream_version)
