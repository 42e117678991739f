"""All processes behind TLS, as the rendered Ingress and HTTPRoute say, with access control."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest
import pytest_asyncio

from shared.access.scopes import Scope
from tests.deploy.components import rendered_with
from tests.deploy.kustomization import find
from tests.edge.front import RunningFront, needs_nginx, running_front
from tests.edge.gateway import front_of_route
from tests.edge.ingress import front_of_ingresses
from tests.end_to_end.catalogue import WAIT, segment, unique, variant
from tests.end_to_end.system import HOST, PATIENCE_OF_TESTS, Servers, System
from tests.eventually import eventually
from tests.guards import bearer
from tests.tokens import ISSUER, public_document

pytestmark = [pytest.mark.servers, needs_nginx]
EDITOR = bearer(Scope.PRODUCTS_READ, Scope.PRODUCTS_READ_DRAFTS, Scope.PRODUCTS_WRITE, Scope.PRODUCTS_IMPORT)
BAD_TOKENS_MAX = 3
MIB = 1024 * 1024


class Hosts(NamedTuple):
    """One way in: the front, and the hosts for commands and reads."""

    front: RunningFront
    write: str
    read: str

    def writer(self, **options: Any) -> httpx.AsyncClient:
        return self.front.client(self.write, headers=EDITOR, **options)

    def reader(self, **options: Any) -> httpx.AsyncClient:
        return self.front.client(self.read, headers=EDITOR, **options)


def of_component(component: str) -> dict[str, str]:
    """What the component sets for both APIs."""
    objects = rendered_with(component)
    config: dict[str, str] = find(objects, "ConfigMap", "command-api")["data"]
    return {name: config[name] for name in ("HSTS_SECONDS", "READ_URL")}


@pytest.fixture(scope="module")
def system(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    servers.ensure_running()
    settings = {
        **PATIENCE_OF_TESTS,
        **of_component("ingress"),
        "AUTH_ISSUER": ISSUER,
        "AUTH_PUBLIC_KEYS": public_document("first").decode(),
        # nginx is on this machine; its clients come from other addresses of it.
        "TRUSTED_PROXIES": HOST,
        "FAILED_AUTHENTICATIONS_PER_SECOND_MAX": "0.001",
        "FAILED_AUTHENTICATIONS_BURST_MAX": str(BAD_TOKENS_MAX),
        # Many commands for one product wait for each other: on a busy machine longer than these allow.
        "PRODUCT_QUEUE_SECONDS_MAX": "60",
        "PRODUCT_QUEUE_STANDING_SECONDS_MAX": "60",
        "QUEUE_SECONDS_MAX": "60",
    }
    made = System(servers, Path(tmp_path_factory.mktemp("behind-tls")), settings)
    made.start()
    try:
        yield made
    finally:
        made.close()


@pytest_asyncio.fixture(params=["ingress", "gateway-api"])
async def hosts(system: System, request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Hosts]:
    system.ensure_running()
    objects = rendered_with(request.param)
    pods = {
        "command-api": [system.command_url.removeprefix("http://")],
        "query-api": [system.query_url.removeprefix("http://")],
    }
    is_ingress = request.param == "ingress"
    front = front_of_ingresses(objects) if is_ingress else front_of_route(objects)
    names = (
        ("write.catalogue.example", "read.catalogue.example") if is_ingress else ("catalogue.example",) * 2
    )
    async with running_front(front, pods, tmp_path) as running:
        yield Hosts(running, *names)


async def created(client: httpx.AsyncClient, sku: str) -> httpx.Response:
    answer = await client.post("/v1/products", json={"name": unique("Shirt"), "variants": [variant(sku)]})
    assert answer.status_code == 201, answer.text
    return answer


async def test_what_is_written_by_tls_is_read_by_tls(hosts: Hosts) -> None:
    sku = f"{unique('A/B')} ä #1"
    async with hosts.writer() as writer, hosts.reader() as reader:
        made = await created(writer, sku)
        assert (made.http_version, made.headers["etag"]) == ("HTTP/2", '"1"')
        assert made.headers["location"].startswith("https://read.catalogue.example/v1/products/")
        see = {"consistency-token": made.headers["consistency-token"], "prefer": WAIT}
        for path in (f"/v1/products/{made.json()['id']}", f"/v1/products/by-sku/{segment(sku)}"):
            found = await reader.get(path, headers=see)
            assert (found.status_code, found.json()["id"]) == (200, made.json()["id"])
            assert found.headers["etag"] == '"1"'
        for answer in (made, found, await reader.get("/v1/nothing")):
            assert answer.headers["strict-transport-security"] == "max-age=31536000"


async def test_a_method_of_the_other_api_is_405_on_a_host_of_its_own_and_one_resource_on_one_host(
    hosts: Hosts,
) -> None:
    async with hosts.writer() as writer, hosts.reader() as reader:
        read = await writer.get("/v1/products")
        write = await reader.patch(
            f"/v1/products/{(await created(writer, unique('M'))).json()['id']}", json={}
        )
    expected = (405, 405) if hosts.write != hosts.read else (200, 200)
    assert (read.status_code, write.status_code) == expected


async def test_a_client_cannot_choose_its_address(hosts: Hosts, system: System) -> None:
    """Bad tokens count for the address that nginx saw, whatever the client says."""
    bad = {"authorization": "Bearer none"}
    number = 2 if hosts.write == hosts.read else 20
    async with AsyncExitStack() as stack:
        guesser = await stack.enter_async_context(hosts.reader(address=f"127.0.0.{number}"))
        statuses = [
            (
                await guesser.get("/v1/products", headers={**bad, "x-forwarded-for": f"203.0.113.{n}"})
            ).status_code
            for n in range(BAD_TOKENS_MAX + 2)
        ]
        assert statuses[0] == 401
        assert statuses[-1] == 429
        neighbour = await stack.enter_async_context(hosts.reader(address=f"127.0.0.{number + 1}"))
        assert (await neighbour.get("/v1/products", headers=bad)).status_code == 401
        # Past nginx: the header counts only from a trusted proxy.
        transport = httpx.AsyncHTTPTransport(local_address=f"127.0.0.{number + 2}")
        stranger = await stack.enter_async_context(
            httpx.AsyncClient(transport=transport, base_url=system.query_url)
        )
        spoofed = {**bad, "x-forwarded-for": f"127.0.0.{number}"}
        assert (await stranger.get("/v1/products", headers=spoofed)).status_code == 401


async def test_a_read_waits_for_its_token_as_long_as_it_asked_and_nothing_cuts_it(
    hosts: Hosts, system: System
) -> None:
    async with hosts.writer() as writer, hosts.reader() as reader:
        system.projector.pause()
        try:
            sku = unique("W")
            made = await created(writer, sku)
            see = {"consistency-token": made.headers["consistency-token"], "prefer": WAIT}

            async def is_read_from_the_log() -> None:
                by_id = await reader.get(f"/v1/products/{made.json()['id']}", headers=see)
                assert by_id.status_code == 200, by_id.text

            await eventually(is_read_from_the_log)  # a busy machine may need more than LATEST_SECONDS_MAX
            behind = await reader.get(f"/v1/products/by-sku/{sku}", headers=see)
        finally:
            system.projector.resume()
        assert (behind.status_code, behind.json()["code"]) == (503, "read-model-behind")
        assert "retry-after" in behind.headers

        async def visible() -> None:
            found = await reader.get(f"/v1/products/by-sku/{sku}", headers=see)
            assert found.status_code == 200, found.text

        await eventually(visible)


async def test_a_body_that_is_too_large_is_refused_by_the_api_itself(hosts: Hosts) -> None:
    # By HTTP/1.1: a client of HTTP/2 would have to read the answer while it still sends.
    async with hosts.writer(http2=False) as writer:
        for path, size in (("/v1/products", 2 * MIB), ("/v1/products:batch", 16 * MIB + 1)):
            headers = {"content-type": "application/json"}
            answer = await writer.post(path, content=b" " * size, headers=headers)
            assert (answer.status_code, answer.json()["code"]) == (413, "body-too-large")
            assert answer.headers["content-type"] == "application/problem+json"


async def test_many_requests_at_once_and_after_a_rest_get_answers_of_the_apis(hosts: Hosts) -> None:
    async with hosts.writer() as writer, hosts.reader() as reader:
        made = await created(writer, unique("L"))
        address = f"/v1/products/{made.json()['id']}"
        see = {"consistency-token": made.headers["consistency-token"], "prefer": WAIT}
        for turn in range(3):
            writes = [writer.patch(address, json={"tags": [f"{turn}-{n}"]}) for n in range(16)]
            reads = [reader.get(address, headers=see) for _ in range(48)]
            answers = await asyncio.gather(*writes, *reads)
            # 502 and 504 are nginx's own.
            refused = {(answer.status_code, answer.text) for answer in answers if answer.status_code != 200}
            assert refused == set()
