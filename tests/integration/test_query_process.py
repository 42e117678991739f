"""The process as an operator meets it: it starts, says why when it cannot, and leaves properly."""

import asyncio
import json
import os
import signal
import socket
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from deploy.local.ports import free_port
from tests.eventually import eventually
from tests.integration.query_world import World, product, token_for
from tests.integration.query_world import own_world as world
from tests.local_issuer import local_issuer

__all__ = ["world"]


@dataclass
class Started:
    """A query API as a process; `client` talks to its public port, `operations` to the other."""

    process: asyncio.subprocess.Process
    client: httpx.AsyncClient
    operations: httpx.AsyncClient
    port: int


def _environment(world: World, port: int, ops_port: int) -> dict[str, str]:
    return {
        **os.environ,
        "READ_MODEL_DSN": world.settings.read_model_dsn.read(),
        "POSTGRES_POOLER": world.settings.postgres_pooler,
        "REDIS_URL": world.settings.redis_url.read(),
        # Without it a process waits some seconds for Kafka before it is ready.
        "SEARCH": "off",
        "QUERY_PORT": str(port),
        "QUERY_OPS_PORT": str(ops_port),
    }


async def _spawn(world: World, port: int, ops_port: int, **more: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "query_api", "serve",
        env={**_environment(world, port, ops_port), **more},
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip


@asynccontextmanager
async def _started(world: World, *, is_ready: bool = True, **variables: str) -> AsyncIterator[Started]:
    port, ops_port = free_port(), free_port()
    process = await _spawn(world, port, ops_port, **variables)
    async with (
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=30) as client,
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{ops_port}", timeout=30) as operations,
    ):
        try:
            if is_ready:
                await eventually(lambda: _is_ready(operations))
            yield Started(process, client, operations, port)
        finally:
            if process.returncode is None:
                process.kill()
            output, _ = await process.communicate()
            print(output.decode())  # a failed test shows it


async def _is_ready(operations: httpx.AsyncClient) -> None:
    try:
        answer = await operations.get("/readyz")
    except httpx.TransportError as error:
        raise AssertionError("not listening yet") from error
    assert answer.status_code == 200, answer.text


def _assert_closed(port: int) -> None:
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", port)) != 0


async def test_a_started_process_serves_reads_and_counts_them(world: World) -> None:
    document = product(sku="A/B ä#")
    await world.store(document)
    async with _started(world) as started:
        for path in (f"/v1/products/{document.id}", "/v1/products/by-sku/A%2FB%20%C3%A4%23", "/v1/products"):
            for method in ("GET", "HEAD"):
                for _ in range(2):
                    answer = await started.client.request(method, path)
                    assert answer.status_code == 200
                    assert (answer.content == b"") == (method == "HEAD")
                    assert int(answer.headers["content-length"]) > 0
        fresh = await started.client.get(f"/v1/products/{document.id}", headers={"if-none-match": '"1"'})
        assert (fresh.status_code, fresh.content) == (304, b"")
        metrics = (await started.operations.get("/metrics")).text
    route = 'route="/v1/products/{product_id}"'
    assert f'http_server_request_duration_seconds_count{{method="GET",{route},status="304"}} 1.0' in metrics
    assert f'http_server_request_duration_seconds_count{{method="GET",{route},status="200"}} 2.0' in metrics
    assert 'cache_requests_total{result="hit"}' in metrics


async def test_a_process_takes_keys_from_its_issuer_and_serves_on_while_it_is_away(
    world: World, tmp_path: Path
) -> None:
    document = product()
    await world.store(document)
    path = f"/v1/products/{document.id}"
    with local_issuer(tmp_path, time.time()) as issuer:
        reader = {"authorization": f"Bearer {(issuer.server.tokens / 'reader').read_text()}"}
        auditor = {"authorization": f"Bearer {(issuer.server.tokens / 'auditor').read_text()}"}
        issuer.stop()
        variables = {"AUTH_ISSUER": issuer.url, "AUTH_KEYS_COOL_DOWN_SECONDS": "0.1"}
        async with _started(world, is_ready=False, **variables) as started:
            await eventually(lambda: _keys_are_missing(started))
            refused = await started.client.get(path, headers=reader)
            assert (refused.status_code, refused.json()["code"]) == (503, "keys-unavailable")
            issuer.start()
            await eventually(lambda: _is_ready(started.operations))
            assert (await started.client.get(path)).status_code == 401
            assert (await started.client.get(path, headers=reader)).status_code == 200
            assert (await started.client.get("/v1/status", headers=reader)).status_code == 403
            issuer.stop()
            # A token that was never seen before.
            assert (await started.client.get(path, headers=auditor)).status_code == 200
            metrics = (await started.operations.get("/metrics")).text
    assert 'access_refusals_total{reason="keys-unavailable"} 1.0' in metrics
    assert 'access_refusals_total{reason="insufficient-scope"} 1.0' in metrics
    assert 'access_key_fetches_total{result="fetched"} 1.0' in metrics


async def _keys_are_missing(started: Started) -> None:
    try:
        answer = await started.operations.get("/readyz")
    except httpx.TransportError as error:
        raise AssertionError("not listening yet") from error
    assert answer.status_code == 503
    assert "keys" in answer.json()["checks"]["keys of tokens"]


async def test_sigkill_closes_the_port(world: World) -> None:
    async with _started(world) as started:
        started.process.kill()
        await started.process.wait()
        await eventually(lambda: _assert_closed(started.port))


async def test_sigterm_lets_a_request_in_flight_finish(world: World) -> None:
    document = product(version=1)
    await world.store(document)
    async with _started(world) as started:
        headers = {"consistency-token": token_for(document.id, 5, 2), "prefer": "wait=10"}
        reader = asyncio.create_task(started.client.get(f"/v1/products/{document.id}", headers=headers))
        await eventually(lambda: _assert_is_waiting(started.operations))
        started.process.send_signal(signal.SIGTERM)
        await eventually(lambda: _assert_drains(started.operations))
        await world.store(product(id=document.id, version=2))
        await world.pass_checkpoint(document.id, 5)
        answer = await reader
        assert (answer.status_code, answer.headers["etag"]) == (200, '"2"')
        assert await asyncio.wait_for(started.process.wait(), 60) == 0


async def test_after_sigterm_a_hot_read_on_an_idle_connection_is_answered_and_told_to_go(
    world: World,
) -> None:
    document = product(version=1)
    await world.cache(document)
    async with _started(world, SHUTDOWN_SECONDS_MAX="120", DRAIN_SECONDS="40") as started:
        path = f"/v1/products/{document.id}"
        assert "connection" not in (await started.client.get(path)).headers
        started.process.send_signal(signal.SIGTERM)
        await eventually(lambda: _assert_drains(started.operations))
        answer = await started.client.get(path)
        assert (answer.status_code, answer.headers["etag"]) == (200, '"1"')
        assert answer.headers["connection"] == "close"
        assert await asyncio.wait_for(started.process.wait(), 60) == 0


async def _assert_drains(operations: httpx.AsyncClient) -> None:
    answer = await operations.get("/readyz")
    assert answer.status_code == 503
    assert "draining" in answer.json()["checks"]


async def _assert_is_waiting(operations: httpx.AsyncClient) -> None:
    assert "consistency_waiting_readers 1.0" in (await operations.get("/metrics")).text


async def test_a_taken_port_is_named_by_its_setting(world: World) -> None:
    async with _started(world) as started:
        second = await _spawn(world, started.port, free_port())
        try:
            output, _ = await asyncio.wait_for(second.communicate(), 60)
        finally:
            if second.returncode is None:
                second.kill()
        assert second.returncode == 1
        assert f"port {started.port} (QUERY_PORT) is already in use" in output.decode()


async def test_a_wrong_setting_ends_the_start_with_its_name(world: World) -> None:
    process = await _spawn(world, free_port(), free_port(), WAITERS_MAX="many")
    output, _ = await process.communicate()
    assert process.returncode == 2
    assert "WAITERS_MAX" in output.decode()


async def test_every_log_line_is_json_and_a_request_has_its_id(world: World) -> None:
    async with _started(world) as started:
        await started.client.get("/v1/products?limit=0", headers={"x-request-id": "my-id"})
        started.process.terminate()
        output, _ = await started.process.communicate()
    lines = [json.loads(line) for line in output.decode().splitlines()]
    (line,) = [line for line in lines if line["event"] == "request"]
    assert (line["request_id"], line["status"], line["route"]) == ("my-id", 400, "/v1/products")
    assert line["duration_ms"] > 0
