"""Gathers the evidence for the checker: as the databases' owner, with a foreign Kafka client, and over
HTTP.
"""

import asyncio
import json
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

import asyncpg
import httpx

from tests.end_to_end.checker import Evidence, problems
from tests.end_to_end.checks import log as log_check
from tests.end_to_end.checks.history import Logged
from tests.end_to_end.checks.parked import Parked
from tests.end_to_end.checks.reads import Read
from tests.end_to_end.checks.view_check import Place
from tests.end_to_end.checks.views import VIEWS
from tests.end_to_end.kafka_topics import KINDS, Topics
from tests.end_to_end.ledger import Command
from tests.eventually import eventually

Witnessed = Mapping[tuple[str, int], list[bytes]]
"""(product id, version) -> what readers were shown."""
_READERS = 16
_LISTED_PER_PAGE = 200
_LOG_SQL = """
SELECT position, product_id::text, stream_version, event_type, schema_version, data,
       convert_from(metadata, 'UTF8') AS metadata, recorded_at
FROM catalogue.events ORDER BY position
"""
_UNPUBLISHED_SQL = "SELECT count(*) FROM views.product_state WHERE published_version < stream_version"
_PARKED_SQL = """
SELECT projection, error_class,
       (SELECT convert_from(value, 'UTF8') FROM unnest(header_names, header_values) AS header(name, value)
        WHERE name IN ('ce_id', 'x-digest-id')),
       format('%s:%s:%s', topic, partition, record_offset), cause
FROM views.parked_event
"""


async def must_be_consistent(
    system: Place,
    commands: Sequence[Command] | None = None,
    *,
    since_position: int = 0,
    seconds_max: float = 60,
    witnessed: Witnessed | None = None,
) -> Evidence:
    """Waits until the system is at rest, and then asserts that the checker finds nothing."""
    _: int = await eventually(lambda: must_be_at_rest(system), seconds_max)

    async def nothing_is_wrong() -> Evidence:
        evidence = await gather(system, since_position)
        evidence.witnessed = dict(witnessed or {})
        found = problems(evidence, commands, since_position=since_position)
        assert not found, "\n".join([f"{len(found)} problems:", *found[:20]])
        return evidence

    # Check again, because a cached list may not have expired; a real loss is found the second time, too.
    return await eventually(nothing_is_wrong)


async def must_be_at_rest(system: Place) -> int:
    """Wait until the relay has sent all events and every projection has applied them; returns the last
    position.
    """
    try:
        newest, cursor = await newest_position(system), await relay_cursor(system)
    except (OSError, asyncpg.PostgresError) as error:
        raise AssertionError(f"PostgreSQL is not back yet: {error!r}") from error
    assert cursor == newest, f"the relay is at {cursor} of {newest}"
    topics = Topics(system.servers.kafka.bootstrap_servers, system.prefix)
    ends = await asyncio.to_thread(topics.end_offsets, "events")
    assert any(ends.values()) or newest == 0, "the relay has moved its cursor without sending"
    for projection in (view.PROJECTION for view in VIEWS.values() if view.PROJECTION is not None):
        await asyncio.to_thread(topics.must_have_applied, projection, ends)
    unpublished = await _fetchval(system.read_model.owner, _UNPUBLISHED_SQL)
    assert not unpublished, f"{unpublished} states are not published yet"
    await asyncio.to_thread(topics.must_be_committed, "state")
    return newest


async def newest_position(system: Place) -> int:
    """The position of the last event in the log."""
    return int(await _fetchval(system.event_store.owner, "SELECT max(position) FROM catalogue.events") or 0)


async def relay_cursor(system: Place) -> int:
    """The position up to which Kafka has confirmed all events."""
    sql = "SELECT max(log_position) FROM catalogue.relay_cursor"
    return int(await _fetchval(system.event_store.owner, sql) or 0)


async def _fetchval(dsn: str, sql: str) -> Any:
    connection = await asyncpg.connect(dsn, timeout=5)
    try:
        return await connection.fetchval(sql)
    finally:
        await connection.close()


async def gather(system: Place, since_position: int = 0) -> Evidence:
    """Gather all evidence; single products over HTTP only if they have changed since that position."""
    evidence = Evidence()
    await asyncio.gather(
        _from_event_store(system, evidence),
        _from_views(system, evidence),
        asyncio.to_thread(_from_kafka, system, evidence),
    )
    if not any(log_check.problems(evidence.log, evidence.streams)):  # otherwise there is nothing to read
        await _over_http(system, evidence, since_position)
    return evidence


async def _from_event_store(system: Place, evidence: Evidence) -> None:
    connection = await asyncpg.connect(system.event_store.owner)
    try:
        evidence.log = [
            Logged(**{**dict(row), "metadata": json.loads(row["metadata"])})
            for row in await connection.fetch(_LOG_SQL)
        ]
        evidence.log_id = str(await connection.fetchval("SELECT log_id FROM catalogue.event_log"))
        rows = await connection.fetch("SELECT product_id::text, stream_version FROM catalogue.streams")
        evidence.streams = {row["product_id"]: row["stream_version"] for row in rows}
        rows = await connection.fetch(
            "SELECT kind::text, value, product_id::text FROM catalogue.reservations"
        )
        evidence.reservations = {(row["kind"], row["value"]): row["product_id"] for row in rows}
    finally:
        await connection.close()


async def _from_views(system: Place, evidence: Evidence) -> None:
    seen = await asyncio.gather(*(view.gather(system) for view in VIEWS.values()))
    evidence.views = dict(zip(VIEWS, seen, strict=True))
    connection = await asyncpg.connect(system.read_model.owner)
    try:
        evidence.parked = [Parked(*row) for row in await connection.fetch(_PARKED_SQL)]
    finally:
        await connection.close()


def _from_kafka(system: Place, evidence: Evidence) -> None:
    topics = Topics(system.servers.kafka.bootstrap_servers, system.prefix)
    kind_of = {topics.name(kind): kind for kind in KINDS}
    evidence.records = {kind: [] for kind in KINDS}
    for record in topics.read():
        evidence.records[kind_of[record.topic]].append(record)


async def _over_http(system: Place, evidence: Evidence, since_position: int) -> None:
    changed = {
        product_id: document
        for product_id, document in evidence.history.newest.items()
        if document["position"] > since_position
    }
    live = [document for document in changed.values() if document["status"] != "deleted"]
    names = [("slug", document["slug"]) for document in live]
    names += [("sku", each["sku"]) for document in live for each in document["variants"]]
    at_once = asyncio.Semaphore(_READERS)
    async with httpx.AsyncClient(base_url=system.query_url, timeout=30) as client:

        async def read(path: str) -> Read:
            async with at_once:
                answer = await client.get(path)
            return Read(answer.status_code, answer.headers.get("etag"), answer.content)

        by_id = await asyncio.gather(*(read(f"/v1/products/{product_id}") for product_id in changed))
        evidence.by_id = dict(zip(changed, by_id, strict=True))
        by_name = await asyncio.gather(
            *(read(f"/v1/products/by-{kind}/{quote(value, safe='')}") for kind, value in names)
        )
        evidence.by_name = dict(zip(names, by_name, strict=True))
        evidence.listed = [item async for item in _list(client)]


async def _list(client: httpx.AsyncClient) -> Any:
    path: str | None = f"/v1/products?status=draft,active,archived&limit={_LISTED_PER_PAGE}"
    while path is not None:
        answer = await client.get(path)
        assert answer.status_code == 200, answer.text
        for item in answer.json()["items"]:
            yield json.dumps(item).encode()
        following = answer.links.get("next")
        path = None if following is None else following["url"]
