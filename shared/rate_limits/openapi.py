"""The headers of rate limits, as OpenAPI describes them."""

from typing import Any


def _header(description: str) -> dict[str, Any]:
    # Absent if there is no limit, or if only the number of requests in progress is limited.
    return {"description": description, "required": False, "schema": {"type": "string"}}


RATE_LIMIT_HEADERS = {
    "RateLimit-Policy": _header('The limits: `"reads";q=2000;w=2` is 2,000 requests in 2 seconds.'),
    "RateLimit": _header(
        'What is left: `"reads";r=0;t=1` is nothing now; for t see Retry-After. Also in other answers.'
    ),
}
