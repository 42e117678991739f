"""Streams and connections through the front: nothing waits in a buffer, idle connections are used again."""

import asyncio
import inspect
from collections.abc import Callable
from pathlib import Path

import pytest

from query_api.settings import QuerySettings
from shared.ops.http.server import HttpServer
from tests.deploy.components import rendered_with
from tests.deploy.kustomization import find
from tests.edge.configuration import UPSTREAM_KEEPALIVE_SECONDS, Front
from tests.edge.front import needs_nginx, running_front
from tests.edge.gateway import front_of_route
from tests.edge.ingress import front_of_ingresses
from tests.edge.pods import echo_pods

SERVICES = ("command-api", "query-api")
_MARGIN_SECONDS = 5


def _ingress() -> Front:
    return front_of_ingresses(rendered_with("ingress"))


def _gateway() -> Front:
    return front_of_route(rendered_with("gateway-api"))


@needs_nginx
@pytest.mark.parametrize(
    ("front", "host", "stream"),
    [
        (_ingress, "read.catalogue.example", "/stream"),
        (_ingress, "read.catalogue.example", "/stream?marked"),
        (_gateway, "catalogue.example", "/stream?marked"),
    ],
)
@pytest.mark.parametrize("http2", [True, False])
async def test_each_line_of_a_stream_arrives_when_it_is_sent(
    tmp_path: Path, front: Callable[[], Front], host: str, stream: str, http2: bool
) -> None:
    async with echo_pods(*SERVICES) as pods:
        addresses = {name: [pod.address] for name, pod in pods.items()}
        async with (
            running_front(front(), addresses, tmp_path) as running,
            running.client(host, http2=http2) as client,
            client.stream("GET", stream) as answer,
        ):
            lines = answer.aiter_lines()
            # The pod sends the second line only after this one is here: a buffer would stop both for ever.
            assert await anext(lines) == "data: 1"
            pods["query-api"].go_on.set()
            assert [line async for line in lines if line] == ["data: 2"]


@needs_nginx
async def test_many_requests_at_once_use_few_connections_and_each_is_answered(tmp_path: Path) -> None:
    async with echo_pods(*SERVICES) as pods:
        addresses = {name: [pod.address] for name, pod in pods.items()}
        async with (
            running_front(_ingress(), addresses, tmp_path) as running,
            running.client("write.catalogue.example") as client,
        ):
            for _ in range(5):
                answers = await asyncio.gather(*(client.post("/v1/products", json={}) for _ in range(64)))
                assert {answer.status_code for answer in answers} == {200}
            # 32 of the 64 connections of a round are kept; without keep-alive there would be 320.
            assert len(pods["command-api"].clients) <= 64 + 4 * 32


def test_a_pod_keeps_an_idle_connection_longer_than_the_front() -> None:
    """Otherwise a pod closes connections that the front is just sending a request into: 502."""
    keeps_seconds = inspect.signature(HttpServer).parameters["keep_alive_seconds"].default
    assert keeps_seconds >= UPSTREAM_KEEPALIVE_SECONDS + _MARGIN_SECONDS


def test_the_front_waits_longer_than_a_read_may_wait_for_its_token() -> None:
    annotations = find(rendered_with("ingress"), "Ingress", "read")["metadata"]["annotations"]
    waits_seconds = float(annotations["nginx.org/proxy-read-timeout"].removesuffix("s"))
    longest = QuerySettings.model_fields["wait_seconds_max"].default
    assert waits_seconds > longest + _MARGIN_SECONDS
