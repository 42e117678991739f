"""Keeps the answer of a list in the memory of this process, for the next reader of the same address."""

from collections.abc import Sequence

from fastapi import Request
from starlette.responses import Response

from query_api.http.caller import EVERYBODYS
from query_api.products.http.product_answer import cache_status
from query_api.products.kept_pages import KeptPage, KeptPages
from query_api.products.lists import ListedPage

# What depends on the moment, or on where the page came from.
_NOT_KEPT = frozenset({b"age", b"cache-status"})


def keep_answer(
    pages: KeptPages, request: Request, statuses: Sequence[str], listed: ListedPage, answer: Response
) -> None:
    """If it is a page of a known generation; the answer to a HEAD has no body to keep."""
    if listed.generation is None or request.method != "GET":
        return
    headers = [pair for pair in answer.raw_headers if pair[0] not in _NOT_KEPT]
    page = KeptPage(
        bytes(answer.body),
        [*headers, cache_status("hit")],
        listed.generation,
        listed.page.made_at,
        is_everybodys=set(EVERYBODYS).issuperset(statuses),
    )
    pages.keep(request.scope["query_string"], page)
