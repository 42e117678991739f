"""HTTPS before the Services: nginx on the node, as the Ingress objects or the HTTPRoute say."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest

from deploy.local.ports import HOST
from tests.cluster.conftest import Record
from tests.cluster.http2 import Http2Client
from tests.cluster.installation import Installation
from tests.cluster.kubectl import cluster_ip, kubectl, objects
from tests.cluster.load import Front, Load
from tests.cluster.nothing_lost import must_have_lost_nothing
from tests.deploy.components import rendered_with
from tests.edge.front import RunningFront, needs_nginx, started_front
from tests.edge.gateway import front_of_route
from tests.edge.ingress import front_of_ingresses

pytestmark = [pytest.mark.prove, needs_nginx]
_APIS = ("command-api", "query-api")


class Way(NamedTuple):
    """Hosts, and what port 80 says."""

    write: str
    read: str
    in_the_clear: int


_WAYS = {
    "ingress": Way("write.catalogue.example", "read.catalogue.example", 403),
    # No listener: nginx has to say something, a Gateway does not even answer.
    "gateway-api": Way("catalogue.example", "catalogue.example", 404),
}


@pytest.fixture(scope="module")
def with_ingress(installed: Installation, tag: str) -> Iterator[Installation]:
    """The component without the objects of cert-manager, whose kind the cluster does not know."""
    without = [
        {"patch": f"{{apiVersion: cert-manager.io/v1, kind: Certificate, metadata: {{name: {name}, "
                  "namespace: product-catalogue}, $patch: delete}"}
        for name in ("write", "read")
    ]  # fmt: skip
    installed.apply(tag, further={"components": ["../components/ingress"], "patches": without})
    yield installed
    kubectl("delete", "ingress", "write", "read")
    installed.apply(tag)


@pytest.fixture(params=_WAYS)
def way(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def front(with_ingress: Installation, way: str, tmp_path: Path) -> Iterator[RunningFront]:
    """It leads to the addresses of the Services."""
    made = (
        front_of_ingresses(_ingresses_and_services())
        if way == "ingress"
        else front_of_route(rendered_with(way))
    )
    with started_front(made, {name: [f"{cluster_ip(name)}:80"] for name in _APIS}, tmp_path) as started:
        yield started


def test_a_rolling_update_behind_https_fails_no_request(
    with_ingress: Installation, front: RunningFront, way: str, record: Record
) -> None:
    hosts, ports = _WAYS[way], front.nginx.ports
    _must_refuse_in_the_clear(hosts, ports.http)
    urls = [f"https://{host}:{ports.https}" for host in (hosts.write, hosts.read)]
    with (
        Load(*urls, commands=12, reads=28, front=Front(front.trust(), HOST)) as load,
        # httpx writes `h2` into its context, so it has one of its own.
        Http2Client(ports.https, front.trust(), write=hosts.write, read=hosts.read) as http2,
    ):
        for process in _APIS:
            kubectl("rollout", "restart", f"deployment/{process}")
            with_ingress.wait_until_ready()
    record(
        f"HTTPS by {way}: rolling updates of both APIs",
        pairs_by_http2=http2.pairs, failed_by_http2=len(http2.failed), **load.tally.figures(),
    )  # fmt: skip
    assert not http2.failed, http2.failed[:5]
    assert http2.pairs
    load.tally.must_have_no_failure()
    must_have_lost_nothing(load.tally)


def test_browsers_are_told_to_stay_with_https(
    with_ingress: Installation, front: RunningFront, way: str
) -> None:
    host = _WAYS[way].read
    with httpx.Client(verify=front.trust(), timeout=30) as client:
        answer = client.get(
            f"https://{HOST}:{front.nginx.ports.https}/v1/products",
            headers={"host": host}, extensions={"sni_hostname": host},
        )  # fmt: skip
    assert answer.status_code == 401, "without a token"
    assert answer.headers["strict-transport-security"].startswith("max-age=31536000")


def _ingresses_and_services() -> list[Any]:
    """As the cluster has them, without what kubectl notes there for itself."""
    found = [*objects("ingress"), *objects("services")]
    for one in found:
        one["metadata"].get("annotations", {}).pop("kubectl.kubernetes.io/last-applied-configuration", None)
    return found


def _must_refuse_in_the_clear(hosts: Way, port: int) -> None:
    """And not redirect: a client that sends its token in the clear must notice."""
    for method, host in (("GET", hosts.read), ("POST", hosts.write)):
        answer = httpx.request(
            method, f"http://{HOST}:{port}/v1/products", headers={"host": host}, timeout=30
        )
        assert (answer.status_code, answer.headers.get("location")) == (hosts.in_the_clear, None)
