"""Asks a query API, and looks whether the answer came from the memory of the process."""

from typing import Any

import httpx

from shared.access.scopes import Scope
from tests.counters import counted
from tests.guards import bearer
from tests.integration.query_world import REDIS_SECONDS_MAX
from tests.tokens import ISSUER, public_document

HITS = "local_list_cache_requests_total"
# Pages that last as long as a test, also on a busy machine.
PATIENT = {"redis_seconds_max": REDIS_SECONDS_MAX, "list_ttl_seconds": 600}
# Access control, without limits.
ACCESS = {
    "auth_issuer": ISSUER,
    "auth_public_keys": public_document("first").decode(),
    "reads_per_second_max": 0,
    "reads_per_address_per_second_max": 0,
}
READER = bearer(Scope.PRODUCTS_READ)
EDITOR = bearer(Scope.PRODUCTS_READ, Scope.PRODUCTS_READ_DRAFTS)


async def from_process(client: httpx.AsyncClient, path: str, **given: Any) -> httpx.Response:
    """A GET that has to be answered from the memory of the process."""
    before = counted(HITS, result="hit")
    answer = await client.get(path, **given)
    assert answer.status_code == 200
    assert counted(HITS, result="hit") == before + 1
    return answer


async def not_from_process(client: httpx.AsyncClient, path: str, **given: Any) -> httpx.Response:
    """A GET that must not be answered from there."""
    before = counted(HITS, result="hit")
    answer = await client.get(path, **given)
    assert counted(HITS, result="hit") == before
    return answer


def ids_of(answer: httpx.Response) -> list[str]:
    """Of the items of a page."""
    return [item["id"] for item in answer.json()["items"]]


def lasting_headers(answer: httpx.Response) -> dict[str, str]:
    """Without those of one moment or one request."""
    moment = {"x-request-id", "date", "age"}
    return {name: value for name, value in answer.headers.items() if name not in moment}
