"""The compacted topic of latest states: a product's last record is its newest document, or a tombstone."""

import asyncio
from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

from tests.end_to_end.checks.documents import document_problems
from tests.end_to_end.checks.topics import PARTITIONS
from tests.end_to_end.checks.view_check import Place
from tests.end_to_end.kafka_topics import Published, Topics
from tests.end_to_end.murmur2 import partition_of

PROJECTION = "products_state"
_TOPIC = "state"


async def gather(place: Place) -> list[Published]:
    """What a `read_committed` reader finds there, in order within each partition."""
    topics = Topics(place.servers.kafka.bootstrap_servers, place.prefix)
    return await asyncio.to_thread(topics.read_committed, _TOPIC)


def problems(history: Any, seen: Sequence[Published]) -> Iterator[str]:
    """Each record is a true state, none comes after a newer one, and the last one is the newest state.

    Duplicates do not count; a deleted product may have no record any more.
    """
    newest: dict[str, int] = {}
    of_version: dict[tuple[str, int], list[Published]] = defaultdict(list)
    for record in seen:
        product_id, version = record.key or "", _version(record)
        if version < newest.get(product_id, 0):
            yield f"{_at(record)} comes after version {newest[product_id]}"
        newest[product_id] = version
        of_version[product_id, version].append(record)
    for event, document in history.states():
        for record in of_version.pop((event.product_id, event.stream_version), ()):
            yield from _as_it_was(record, event, document, history.log_id)
    for records in of_version.values():
        yield f"{_at(records[0])} is not in the log"
    for product_id, document in history.newest.items():
        last = newest.get(product_id)
        if last is None and document["status"] != "deleted":
            yield f"products-state: {product_id} is missing"
        elif last is not None and last != document["version"]:
            yield f"products-state: {product_id} ends with version {last}, not {document['version']}"


def _as_it_was(record: Published, event: Any, document: Any, log_id: str) -> Iterator[str]:
    partition = partition_of(event.product_id, PARTITIONS)
    if record.partition != partition:
        yield f"{_at(record)}: its key belongs to partition {partition}"
    is_deleted = document["status"] == "deleted"
    wanted = _headers_of(event, log_id, is_deleted=is_deleted)
    if record.headers != wanted:
        yield f"{_at(record)} differs in headers {sorted({*record.headers.items()} ^ {*wanted.items()})}"
    if is_deleted != (record.value is None):
        yield f"{_at(record)} is of a product that is {document['status']}, its value {record.value!r}"
    elif record.value is not None:
        yield from document_problems(_at(record), record.value, document)


def _headers_of(event: Any, log_id: str, *, is_deleted: bool) -> dict[str, str]:
    headers = {
        "ce_specversion": "1.0",
        "ce_id": f"{event.product_id}/{event.stream_version}",
        "ce_type": "product-state",
        "ce_source": "/products",
        "ce_subject": event.product_id,
        "ce_time": event.recorded_at.isoformat().replace("+00:00", "Z"),
        "ce_position": str(event.position),
        "ce_streamversion": str(event.stream_version),
        "ce_logid": log_id,
    }
    return headers if is_deleted else {**headers, "content-type": "application/json"}


def _version(record: Published) -> int:
    """0: none that could be one."""
    text = record.headers.get("ce_streamversion", "")
    return int(text) if text.isdecimal() else 0


def _at(record: Published) -> str:
    at = f"{record.partition}:{record.offset}"
    return f"products-state: {record.key} v{_version(record)} at {at}"
