"""The documents in Redis: any may be missing, but those that exist are correct.

Only those of the live generation: nobody reads others, and they expire.
"""

import asyncio
from collections.abc import Iterator, Mapping

from redis import Redis

from tests.end_to_end.checks.documents import document_problems
from tests.end_to_end.checks.history import History
from tests.end_to_end.checks.view_check import Place

PROJECTION = "product_cache"
_VERSION_DIGITS = 16


async def gather(place: Place) -> dict[str, bytes]:
    """Product id -> 16 digits of version, a flag, the document."""
    return await asyncio.to_thread(_documents, place)


def _documents(place: Place) -> dict[str, bytes]:
    documents = {}
    with Redis.from_url(place.redis_url) as redis:
        generation = int(redis.get(f"{place.prefix}:product-generation") or 0)
        start = f"{place.prefix}:product.{generation}:" if generation else f"{place.prefix}:product:"
        for key in redis.scan_iter(match=f"{start}*", count=1000):
            value = redis.get(key)
            if value is not None:  # it may have expired since the scan
                documents[key.decode().removeprefix(start)] = value
    return documents


def problems(history: History, seen: Mapping[str, bytes]) -> Iterator[str]:
    """Each document or tombstone is that of the product's last event."""
    for product_id, value in seen.items():
        where, wanted = f"cache: {product_id}", history.newest.get(product_id)
        if wanted is None:
            yield f"{where} is not in the log"
            continue
        digits, flag, body = value[:_VERSION_DIGITS], value[_VERSION_DIGITS : _VERSION_DIGITS + 1], value[17:]
        expected = (b"%016d" % wanted["version"], b"T" if wanted["status"] == "deleted" else b"L")
        if (digits, flag) != expected:
            yield f"{where} begins with {value[:17]!r}, not {expected}"
        elif flag == b"L":
            yield from document_problems(where, body, wanted)
