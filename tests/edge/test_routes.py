"""What the rendered Ingress and HTTPRoute objects do with a request, seen by the pods behind a real nginx."""

import json
import ssl
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
import trustme

from deploy.local.ports import HOST
from docs.generate.access import tables
from shared.access.http.layer import Row
from tests.deploy.components import rendered_with
from tests.edge.front import RunningFront, needs_nginx, running_front
from tests.edge.gateway import front_of_route
from tests.edge.ingress import front_of_ingresses
from tests.edge.pods import EchoPod, echo_pods

pytestmark = needs_nginx
WRITE, READ, ONE_HOST = "write.catalogue.example", "read.catalogue.example", "catalogue.example"
SERVICES = ("command-api", "query-api")
READS = ("GET", "HEAD")
MIB = 1024 * 1024

Pods = dict[str, EchoPod]


@pytest_asyncio.fixture
async def pods() -> AsyncIterator[Pods]:
    async with echo_pods(*SERVICES) as running:
        yield running


@pytest_asyncio.fixture
async def ingress(pods: Pods, tmp_path: Path) -> AsyncIterator[RunningFront]:
    front = front_of_ingresses(rendered_with("ingress"))
    async with running_front(front, {name: [pod.address] for name, pod in pods.items()}, tmp_path) as running:
        yield running


@pytest_asyncio.fixture
async def gateway(pods: Pods, tmp_path: Path) -> AsyncIterator[RunningFront]:
    front = front_of_route(rendered_with("gateway-api"))
    async with running_front(front, {name: [pod.address] for name, pod in pods.items()}, tmp_path) as running:
        yield running


async def seen(client: httpx.AsyncClient, method: str, target: str, **options: Any) -> dict[str, Any]:
    """What the pod got."""
    answer = await client.request(method, target, **options)
    assert answer.status_code == 200, answer.text
    if method == "HEAD":
        return {}
    found: dict[str, Any] = json.loads(answer.text)
    return found


def values(request: dict[str, Any], name: str) -> list[str]:
    """All values of a header that reached the pod."""
    return [value for header, value in request["headers"] if header == name]


# --- hosts and methods ---------------------------------------------------------------------------


@pytest.mark.parametrize(("host", "service"), [(WRITE, "command-api"), (READ, "query-api")])
async def test_each_host_leads_to_its_api_by_http_2(ingress: RunningFront, host: str, service: str) -> None:
    async with ingress.client(host) as client:
        answer = await client.get("/v1/products")
        assert (answer.http_version, answer.json()["service"]) == ("HTTP/2", service)
    async with ingress.client(host, http2=False) as client:
        answer = await client.get("/v1/products")
        assert (answer.http_version, answer.json()["service"]) == ("HTTP/1.1", service)


@pytest.fixture(scope="module")
def routes() -> dict[str, list[Row]]:
    """As the code has them."""
    of_api = tables()
    return {"command-api": of_api["Command API"], "query-api": of_api["Query API"]}


async def test_one_host_leads_every_route_of_both_apis_to_the_api_that_has_it(
    gateway: RunningFront, pods: Pods, routes: dict[str, list[Row]]
) -> None:
    async with gateway.client(ONE_HOST) as client:
        for service, rows in routes.items():
            assert rows, "the table of routes is empty"
            for row in rows:
                if service == "command-api" and row.method in READS:
                    continue  # both APIs serve it
                path = row.path.replace("{", "a").replace("}", "")
                before = pods[service].requests
                await seen(client, row.method, path)
                assert pods[service].requests == before + 1, f"{row.method} {row.path} is not at {service}"


async def test_the_console_and_its_files_are_at_the_query_api(
    ingress: RunningFront, gateway: RunningFront
) -> None:
    for client in (ingress.client(READ), gateway.client(ONE_HOST)):
        async with client:
            for path in ("/console", "/console/app.js", "/console/vendor/lit-html.js"):
                assert (await seen(client, "GET", path))["service"] == "query-api"


@pytest.mark.parametrize(
    ("asked", "service"),
    [(None, "query-api"), ("GET", "query-api")]
    + [(method, "command-api") for method in ("POST", "PUT", "PATCH", "DELETE")],
)
async def test_a_browser_asks_the_api_that_would_answer_whether_it_may(
    gateway: RunningFront, asked: str | None, service: str
) -> None:
    headers = {"access-control-request-method": asked} if asked else {}
    async with gateway.client(ONE_HOST) as client:
        request = await seen(client, "OPTIONS", "/v1/products", headers=headers)
    assert request["service"] == service


async def test_a_path_reaches_the_pod_as_it_was_sent(ingress: RunningFront, gateway: RunningFront) -> None:
    target = "/v1/products/by-sku/A%2FB%20%C3%A4%20%231?fields=a%2Cb&q=//x"
    for client in (ingress.client(READ), gateway.client(ONE_HOST)):
        async with client:
            assert (await seen(client, "GET", target))["target"] == target.partition("?")[0]


async def test_a_host_that_nobody_named_gets_no_certificate(
    ingress: RunningFront, gateway: RunningFront
) -> None:
    for front in (ingress, gateway):
        async with front.client("other.catalogue.example") as client:
            with pytest.raises(httpx.ConnectError, match=r"(?i)ssl|tls"):
                await client.get("/v1/products")


# --- TLS alone -----------------------------------------------------------------------------------


@pytest.mark.parametrize("host", [WRITE, READ])
async def test_without_tls_an_api_host_answers_403_and_never_redirects(
    ingress: RunningFront, pods: Pods, host: str
) -> None:
    async with httpx.AsyncClient(base_url=f"http://{HOST}:{ingress.nginx.ports.http}", timeout=30) as client:
        for method in ("GET", "POST"):
            answer = await client.request(
                method, "/v1/products", headers={"host": host, "x-forwarded-proto": "https"}
            )
            assert (answer.status_code, answer.headers.get("location")) == (403, None)
    assert not any(pod.requests for pod in pods.values())


async def test_the_gateway_has_no_host_without_tls(gateway: RunningFront, pods: Pods) -> None:
    async with httpx.AsyncClient(base_url=f"http://{HOST}:{gateway.nginx.ports.http}", timeout=30) as client:
        answer = await client.get("/v1/products", headers={"host": ONE_HOST})
    assert (answer.status_code, any(pod.requests for pod in pods.values())) == (404, False)


async def test_a_client_refuses_the_certificate_of_another_authority_and_of_another_host(
    ingress: RunningFront,
) -> None:
    stranger = ssl.create_default_context()
    trustme.CA().configure_trust(stranger)
    async with ingress.client(READ, verify=stranger) as client:
        with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
            await client.get("/v1/products")
    expects_another = ingress.trust()
    async with httpx.AsyncClient(
        base_url=f"https://{HOST}:{ingress.nginx.ports.https}", verify=expects_another, timeout=30
    ) as client:
        with pytest.raises(httpx.ConnectError):
            await client.get("/v1/products", extensions={"sni_hostname": "localhost"})


# --- headers -------------------------------------------------------------------------------------


async def test_what_a_client_says_about_its_way_is_overwritten_or_stands_before_the_truth(
    ingress: RunningFront, gateway: RunningFront
) -> None:
    spoofed = {
        "x-forwarded-for": "203.0.113.9",
        "x-forwarded-proto": "http",
        "x-forwarded-host": "evil.example",
        "x-forwarded-port": "1",
        "x-real-ip": "203.0.113.9",
    }
    for front, host in ((ingress, READ), (gateway, ONE_HOST)):
        async with front.client(host, address="127.0.0.2") as client:
            request = await seen(client, "GET", "/v1/products", headers=spoofed)
        assert values(request, "x-forwarded-for") == ["203.0.113.9, 127.0.0.2"]
        assert values(request, "x-real-ip") == ["127.0.0.2"]
        assert values(request, "x-forwarded-proto") == ["https"]
        assert values(request, "x-forwarded-host") == [host]
        assert values(request, "x-forwarded-port") == [str(front.nginx.ports.https)]
        assert values(request, "host") == [host]


async def test_entity_tags_stay_strong_and_an_address_may_be_as_long_as_the_api_reads_it(
    ingress: RunningFront, gateway: RunningFront
) -> None:
    for client in (ingress.client(READ), gateway.client(ONE_HOST), ingress.client(READ, http2=False)):
        async with client:
            answer = await client.get("/v1/products?q=" + "x" * 32_000)
        assert (answer.status_code, answer.headers["etag"]) == (200, '"7"')


async def test_a_batch_of_16_mib_reaches_the_api_and_much_more_does_not(
    ingress: RunningFront, gateway: RunningFront
) -> None:
    for front, host in ((ingress, WRITE), (gateway, ONE_HOST)):
        async with front.client(host) as client:
            request = await seen(client, "POST", "/v1/products:batch", content=b"x" * (16 * MIB))
            assert request["body_bytes"] == 16 * MIB
        # By HTTP/1.1: a client of HTTP/2 would have to read the answer while it still sends.
        async with front.client(host, http2=False) as client:
            answer = await client.post("/v1/products:batch", content=b"x" * (18 * MIB))
            assert answer.status_code == 413
