"""The query API at rest: changed products by id, SKU and slug, all products in the list; deleted ones are
404.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from tests.end_to_end.checks.documents import document_problems
from tests.end_to_end.checks.history import History
from tests.end_to_end.fold import Document


@dataclass(frozen=True)
class Read:
    """One answer of the query API."""

    status: int
    etag: str | None
    body: bytes


def problems(
    history: History,
    by_id: Mapping[str, Read],
    by_name: Mapping[tuple[str, str], Read],
    listed: Sequence[bytes],
    since: int = 0,
) -> Iterator[str]:
    """`by_name`: by ("slug" | "sku", value); single products only if they have changed after `since`."""
    changed = {key for key, document in history.newest.items() if document["position"] > since}
    for product_id in sorted(changed):
        yield from _one(f"GET {product_id}", by_id[product_id], history.live.get(product_id))
    names = _names(history, changed)
    for name, read in by_name.items():
        yield from _one(f"GET by {name}", read, names.get(name))
    if missing := names.keys() - by_name.keys():
        yield f"HTTP: the evidence lacks reads of {sorted(missing)[:5]}"
    yield from _list_problems(history, listed)


def _names(history: History, changed: set[str]) -> dict[tuple[str, str], Document]:
    names: dict[tuple[str, str], Document] = {}
    for product_id in history.live.keys() & changed:
        document = history.live[product_id]
        names["slug", document["slug"]] = document
        names |= {("sku", each["sku"]): document for each in document["variants"]}
    return names


def _list_problems(history: History, listed: Sequence[bytes]) -> Iterator[str]:
    items = {json.loads(body)["id"]: body for body in listed}
    if len(items) < len(listed):
        yield "list: a product is listed twice"
    for product_id in sorted(items.keys() ^ history.live.keys()):
        yield f"list: {product_id} is {'listed' if product_id in items else 'missing'}"
    for product_id in items.keys() & history.live.keys():
        yield from document_problems(f"list: {product_id}", items[product_id], history.live[product_id])


def _one(where: str, read: Read, wanted: Document | None) -> Iterator[str]:
    if wanted is None:
        if read.status != 404:
            yield f"{where} answered {read.status}, not 404"
    elif read.status != 200 or read.etag != f'"{wanted["version"]}"':
        yield f"{where} answered {read.status} with ETag {read.etag}, not 200 with {wanted['version']}"
    else:
        yield from document_problems(where, read.body, wanted)
