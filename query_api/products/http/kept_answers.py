"""Keeps the answer of a list or search in the memory of this process, for the next reader of the same
address.
"""

from fastapi import Request
from starlette.responses import Response

from query_api.http.caller import sees_all
from query_api.products.http.product_answer import cache_status
from query_api.products.kept_pages import KeptPage, KeptPages
from query_api.products.page_answer import PageAnswer

# What depends on the moment, or on where the page came from.
_NOT_KEPT = frozenset({b"age", b"cache-status"})


def keep_answer(pages: KeptPages, request: Request, page: PageAnswer, answer: Response) -> None:
    """If it is known how long it is right; the answer to a HEAD has no body to keep. The counts of a search
    depend on what its caller sees.
    """
    if page.rightness is None or request.method != "GET":
        return
    headers = [pair for pair in answer.raw_headers if pair[0] not in _NOT_KEPT]
    kept = KeptPage(bytes(answer.body), [*headers, cache_status("hit")], page.rightness, page.made_at)
    pages.keep(request.scope["query_string"], kept, sees_all=sees_all(request))
