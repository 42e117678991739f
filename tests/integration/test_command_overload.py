"""A flood of commands over HTTP: what is refused is certainly not written, what is accepted is, once."""

import asyncio

import asyncpg
import httpx
import pytest

from command_api.http.answers import WriteApi
from command_api.http.app import write_port
from command_api.http.lanes import lane_of, lanes
from command_api.postgres.group_commit import GroupCommitLimits
from shared.ops.http.protocol import BoundedHttpProtocol
from shared.ops.http.server import HttpServer
from shared.ops.overload.overload import Overload, OverloadLimits
from tests.eventually import eventually
from tests.executing import command_turns, execute_command
from tests.in_memory_import_runs import InMemoryImportRuns
from tests.integration.event_store_world import open_store, waits_for_the_append_lock
from tests.servers import DatabaseDsns

pytestmark = pytest.mark.servers
PATIENCE_SECONDS = 600.0
COMMANDS = 40


def creation(slug: str) -> dict[str, object]:
    price = {"amount": "9.00", "currency": "EUR"}
    return {"name": slug, "slug": slug, "variants": [{"sku": slug, "price": price}]}


@pytest.mark.parametrize("is_light", [False, True], ids=["framework", "light"])
async def test_a_refused_command_is_not_in_the_log_and_an_accepted_one_is_once(
    event_store_dsns: DatabaseDsns, is_light: bool
) -> None:
    """The append lock is held by the test, so that commands wait everywhere: for places, turns and calls."""
    limits = GroupCommitLimits(batch_commands_max=2, queue_seconds_max=0.3)
    store = await open_store(event_store_dsns.writer, limits)
    execute = execute_command(store, turns=command_turns(seconds_max=0.3))
    port = write_port(WriteApi(execute, "http://127.0.0.1:8001", 12, InMemoryImportRuns()), guard=None)
    server = HttpServer(
        port.application,
        host="127.0.0.1",
        port=0,
        port_setting="COMMAND_PORT",
        protocol=port.protocol if is_light else BoundedHttpProtocol,
        overload=Overload(OverloadLimits(8, 0.3, 0.1, PATIENCE_SECONDS), lanes(2), lane_of),
    )
    await server.start()
    owner = await asyncpg.connect(event_store_dsns.owner)
    pool_limits = httpx.Limits(max_connections=COMMANDS)
    try:
        async with httpx.AsyncClient(
            base_url=f"http://127.0.0.1:{server.port}", timeout=60, limits=pool_limits
        ) as client:
            product_id = (await client.post("/v1/products", json=creation("first"))).json()["id"]
            lock = owner.transaction()
            await lock.start()
            await owner.execute("SELECT pg_advisory_xact_lock(7281044, 1)")
            requests = [
                asyncio.create_task(client.post("/v1/products", json=creation(f"slug-{number}")))
                for number in range(COMMANDS)
            ]
            requests += [
                asyncio.create_task(client.patch(f"/v1/products/{product_id}", json={"name": f"n{number}"}))
                for number in range(COMMANDS)
            ]
            await waits_for_the_append_lock(owner)
            await eventually(lambda: some_are_refused(requests))
            await lock.rollback()
            answers = await asyncio.gather(*requests)
        accepted = [answer for answer in answers if answer.status_code in (200, 201)]
        refused = [answer for answer in answers if answer.status_code == 503]
        assert len(accepted) + len(refused) == len(answers)
        assert {answer.json()["code"] for answer in refused} == {"overloaded"}
        assert all(answer.headers["retry-after"] == "1" for answer in refused)
        assert await owner.fetchval("SELECT count(*) FROM catalogue.events") == 1 + len(accepted)
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{server.port}", timeout=60) as client:
            assert (await client.post("/v1/products", json=creation("after"))).status_code == 201
    finally:
        await owner.close()
        await server.stop(5)
        await store.close()


def some_are_refused(requests: "list[asyncio.Task[httpx.Response]]") -> None:
    assert any(request.done() and request.result().status_code == 503 for request in requests)
