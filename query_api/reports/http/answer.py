"""One page of a report as an answer.

`Cache-Control: no-cache`: a kept report gets old, so clients must ask again.
"""

from collections.abc import Mapping
from typing import Any

import msgspec
from fastapi import Request
from starlette.responses import Response

from query_api.http.route_parts import json_answer, next_page

_REVALIDATE = {"cache-control": "no-cache"}
_encode = msgspec.json.Encoder().encode


def report_answer(
    request: Request, body: Mapping[str, Any], next_cursor: str | None, applied: dict[str, str]
) -> Response:
    """200 with `body` and the cursor of the next page."""
    headers = {**applied, **_REVALIDATE, **next_page(request, next_cursor)}
    return json_answer(request, _encode({**body, "next_cursor": next_cursor}), headers)
