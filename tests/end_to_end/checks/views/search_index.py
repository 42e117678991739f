"""The documents in OpenSearch, where the installation has one: each product has one, a deleted one a
tombstone.
"""

from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Any

import httpx

from tests.end_to_end.checks.documents import document_problems
from tests.end_to_end.checks.history import History
from tests.end_to_end.checks.view_check import Place

# Not in every installation, so nobody waits for its group; the checks are repeated for a while.
PROJECTION = None
_PREFIX = "products-search"
_PAGE = 1_000


async def gather(place: Place) -> dict[str, tuple[int, bytes | None]] | None:
    """Product id -> (version, document). None: there is no OpenSearch."""
    url = place.settings.get("SEARCH_URL")
    if url is None:
        return None
    prefix = place.settings.get("SEARCH_INDEX_PREFIX", _PREFIX)
    found: dict[str, tuple[int, bytes | None]] = {}
    async with httpx.AsyncClient(base_url=url, timeout=30) as client:
        aliases = (await client.get(f"/_alias/{prefix}-*")).json()
        (alias,) = {
            name for one in aliases.values() for name in one["aliases"] if not name.endswith("-writes")
        }
        after: list[Any] = []
        while True:
            query = {"size": _PAGE, "sort": ["product"], "query": {"exists": {"field": "product"}}}
            answer = await client.post(
                f"/{alias}/_search", json={**query, **({"search_after": after} if after else {})}
            )
            hits = answer.json()["hits"]["hits"]
            if not hits:
                return found
            for hit in hits:
                source, hexadecimal = hit["_source"], hit["_id"]
                document = source.get("document")
                body = None if document is None else httpx.Request("POST", url, json=document).content
                found[_with_dashes(hexadecimal)] = (source["version"], body)
            after = hits[-1]["sort"]


def problems(history: History, seen: Mapping[str, tuple[int, bytes | None]] | None) -> Iterator[str]:
    """Each product of the log is there with its last version, and no other."""
    if seen is None:
        return
    for product_id in sorted(history.newest.keys() | seen.keys()):
        where, wanted = f"search index: {product_id}", history.newest.get(product_id)
        version, body = seen.get(product_id, (0, None))
        if wanted is None:
            yield f"{where} is not in the log"
        elif version != wanted["version"]:
            yield f"{where} has version {version}, not {wanted['version']}"
        elif (body is None) != (wanted["status"] == "deleted"):
            yield f"{where} is {wanted['status']}, its document {body!r}"
        elif body is not None:
            yield from document_problems(where, body, wanted)


def _with_dashes(hexadecimal: str) -> str:
    return "-".join(hexadecimal[start:end] for start, end in pairwise((0, 8, 12, 16, 20, 32)))
