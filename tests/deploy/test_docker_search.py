"""The profile `search` is started on a real container engine: opt-in. OPENSEARCH_IMAGE is passed on."""

import json
import os
import signal
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest

from tests.deploy.composed import Composed, engine_is_missing, image_is_missing
from tests.eventually import eventually_blocking

pytestmark = [
    pytest.mark.prove,
    pytest.mark.skipif(bool(engine_is_missing()), reason=engine_is_missing() or ""),
]


@pytest.fixture(scope="module")
def composed() -> Iterator[Composed]:
    """OpenSearch alone: nothing else needs it, and it needs nothing else."""
    system = Composed(profile="search")
    services = json.loads(system.compose("config", "--format", "json"))["services"]
    if image_is_missing(services["opensearch"]["image"]):
        pytest.skip(f"the image {services['opensearch']['image']} cannot be had")
    try:
        system.compose("up", "--wait", "--wait-timeout", "240", "opensearch")
        yield system
    finally:
        system.compose("down", "--volumes", "--remove-orphans")


def _asked(system: Composed, path: str, method: str = "GET", body: Any = None) -> Any:
    request = urllib.request.Request(
        f"http://127.0.0.1:{system.ports['OPENSEARCH_PORT']}{path}", method=method,
        data=None if body is None else json.dumps(body).encode(),
        headers={"Content-Type": "application/json"},
    )  # fmt: skip
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)


def test_it_is_one_node_that_makes_no_index_by_itself(composed: Composed) -> None:
    assert _asked(composed, "/_cluster/health")["number_of_nodes"] == 1
    with pytest.raises(urllib.error.HTTPError, match="404"):
        _asked(composed, "/nobody-made-this/_doc/1", "PUT", {"name": "Ocean Blue Shirt"})


@pytest.mark.skipif(
    os.geteuid() != 0, reason="only root can kill a container's process behind the engine's back"
)
def test_what_it_was_given_is_there_after_a_kill(composed: Composed) -> None:
    one_copy = {"settings": {"number_of_shards": 1, "number_of_replicas": 0}}
    _asked(composed, "/products", "PUT", one_copy)
    _asked(composed, "/products/_doc/1?refresh=true", "PUT", {"name": "Ocean Blue Shirt"})
    before = composed.state("opensearch")
    os.kill(before["Pid"], signal.SIGKILL)

    def is_another() -> None:
        assert composed.state("opensearch")["RestartCount"] == before["RestartCount"] + 1

    eventually_blocking(is_another)
    eventually_blocking(lambda: composed.must_be_healthy("opensearch"), 180)

    def finds_it() -> None:
        try:
            found = _asked(composed, "/products/_search?q=ocean")["hits"]["hits"]
        except urllib.error.HTTPError as error:
            raise AssertionError(f"not yet: {error}") from error
        assert [one["_source"]["name"] for one in found] == ["Ocean Blue Shirt"]

    eventually_blocking(finds_it, 60)
