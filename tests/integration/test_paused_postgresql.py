"""PostgreSQL is paused: connections stay, nothing answers. Each kind of read is refused, and answered again
afterwards, by a process that has used its connections before. And it is too slow, which a reader is told.
"""

import asyncio
from collections.abc import Mapping

import asyncpg
import pytest

from deploy.local.postgres import PostgresServer
from tests.eventually import eventually
from tests.integration.history_world import PastWorld, past_world
from tests.integration.query_world import product
from tests.past_events import created, variant
from tests.servers import DatabaseDsns, paused

pytestmark = pytest.mark.servers


async def asked(past: PastWorld, paths: Mapping[str, str]) -> dict[str, tuple[int, str | None]]:
    """Status and problem of each, all at the same time."""
    answers = await asyncio.gather(*(past.query.served.get(path) for path in paths.values()))
    return {
        name: (answer.status_code, None if answer.is_success else answer.json()["code"])
        for name, answer in zip(paths, answers, strict=True)
    }


async def test_each_read_is_refused_while_postgresql_is_paused_and_answered_afterwards(
    read_model_dsns: DatabaseDsns,
    event_store_dsns: DatabaseDsns,
    redis_url: str,
    postgres_server: PostgresServer,
) -> None:
    settings = {"table_seconds_max": 1.0, "search": "off"}
    async with past_world(read_model_dsns, event_store_dsns, redis_url, **settings) as past:
        product_id = await past.happened(created(variant("S-1")))
        await past.query.store(product(id=product_id, sku="S-1"))
        reads = {
            "list": "/v1/products",
            "by sku": "/v1/products/by-sku/S-1",
            "history": f"/v1/products/{product_id}/history",
            "export": "/v1/products/export?format=ndjson",
            "report": "/v1/brands",
        }
        fine = dict.fromkeys(reads, (200, None))

        async def all_are_answered() -> None:
            assert await asked(past, reads) == fine

        await eventually(all_are_answered)
        for _ in range(2):
            await past.query.redis.flushdb()
            with paused(postgres_server):
                refused = dict.fromkeys(reads, (503, "read-model-unavailable"))
                assert await asked(past, reads) == {**refused, "history": (503, "event-log-unavailable")}
            await eventually(all_are_answered)


async def test_a_list_that_postgresql_ends_says_so(
    read_model_dsns: DatabaseDsns,
    event_store_dsns: DatabaseDsns,
    redis_url: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # PostgreSQL ends the statement before the client gives it up, however busy the machine is.
    monkeypatch.setattr("shared.postgres.pool._COMMAND_GRACE_SECONDS", 60.0)
    settings = {"table_seconds_max": 0.5, "search": "off"}
    owner = await asyncpg.connect(read_model_dsns.owner)
    try:
        async with (
            past_world(read_model_dsns, event_store_dsns, redis_url, **settings) as past,
            owner.transaction(),
        ):
            await owner.execute("LOCK TABLE views.product_view IN ACCESS EXCLUSIVE MODE")
            listed = await past.query.served.get("/v1/products?brand=B")
            single = await past.query.served.get("/v1/products/by-sku/S-1")
    finally:
        await owner.close()
    for answer in (listed, single):
        assert (answer.status_code, answer.json()["code"]) == (503, "read-model-unavailable")
    assert "did not make this list in time" in listed.json()["detail"]
    assert "SEARCH=off" in listed.json()["detail"]
    assert "detail" not in single.json()
