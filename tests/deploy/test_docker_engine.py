"""The images are built and the system is started from docker-compose.yml: opt-in, because it takes minutes.

TEST_DOCKER=1 asks for it. POSTGRES_IMAGE, REDIS_IMAGE and KAFKA_IMAGE are passed on, so that it also runs
where no registry can be reached (deploy/compose/servers/Dockerfile). Ports and project are its own.
"""

import json
import os
import signal
import subprocess
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from deploy.development_token import token as development_token
from deploy.local.ports import free_port
from deploy.local.settings import DEFAULT_PORTS
from tests.deploy.processes import SERVICES
from tests.eventually import eventually_blocking

ROOT = Path(__file__).parents[2]


def _engine_is_missing() -> str:
    if os.environ.get("TEST_DOCKER") != "1":
        return "TEST_DOCKER is not 1"
    try:
        answer = subprocess.run(["docker", "info"], capture_output=True, text=True, check=False, timeout=20)
    except OSError as error:
        return f"TEST_DOCKER is 1, but: {error}"
    return (
        "" if answer.returncode == 0 else f"TEST_DOCKER is 1, but `docker info` says: {answer.stderr.strip()}"
    )


pytestmark = [
    pytest.mark.prove,
    pytest.mark.skipif(bool(_engine_is_missing()), reason=_engine_is_missing() or ""),
]


class Composed:
    """The system under a project name and ports of its own."""

    def __init__(self) -> None:
        self.ports = {name: free_port() for name in DEFAULT_PORTS}
        ports = {name: str(port) for name, port in self.ports.items()}
        own = {"COMPOSE_PROJECT_NAME": f"test-{uuid.uuid4().hex[:8]}", "IMAGE_TAG": "test"}
        self._environment = {**os.environ, **ports, **own}

    def compose(self, *arguments: str, seconds_max: float = 300) -> str:
        """Run `docker compose`; its failure carries what it said."""
        answer = subprocess.run(
            ["docker", "compose", *arguments], cwd=ROOT, env=self._environment,
            capture_output=True, text=True, check=False, timeout=seconds_max,
        )  # fmt: skip
        assert answer.returncode == 0, answer.stdout + answer.stderr
        return answer.stdout

    def state(self, service: str) -> Any:
        """What the engine says of the service's container: Pid, ExitCode, Health, RestartCount and more."""
        container = self.compose("ps", "--all", "--quiet", service).strip()
        answer = subprocess.run(["docker", "inspect", container], check=True, capture_output=True, text=True)
        found = json.loads(answer.stdout)[0]
        return found["State"] | {"RestartCount": found["RestartCount"]}

    def must_be_healthy(self, service: str) -> None:
        """For `eventually_blocking`."""
        state = self.state(service)
        assert state["Running"], state
        assert state["Health"]["Status"] == "healthy", state


@pytest.fixture(scope="module")
def system() -> Iterator[Composed]:
    """Built, started and ready; removed with its data afterwards."""
    composed = Composed()
    composed.compose("build", seconds_max=900)
    try:
        composed.compose("up", "--wait", "--wait-timeout", "180")
        yield composed
    finally:
        composed.compose("down", "--volumes", "--remove-orphans")


def test_a_product_that_was_written_can_be_read(system: Composed) -> None:
    product = {
        "name": "Ocean Blue Shirt",
        "variants": [{"sku": "OBS-M", "price": {"amount": "50.00", "currency": "USD"}}],
    }  # fmt: skip
    scopes = "products:write products:read products:read-drafts"
    caller = {"Authorization": f"Bearer {development_token(scopes)}"}
    written = urllib.request.Request(
        f"http://127.0.0.1:{system.ports['COMMAND_PORT']}/v1/products",
        json.dumps(product).encode(), {"Content-Type": "application/json", **caller},
    )  # fmt: skip
    with urllib.request.urlopen(written, timeout=60) as answer:
        location, token = answer.headers["Location"], answer.headers["Consistency-Token"]
    assert location.startswith(f"http://127.0.0.1:{system.ports['QUERY_PORT']}/")
    headers = {"Consistency-Token": token, "Prefer": "wait=10"}
    with pytest.raises(urllib.error.HTTPError, match="401"):
        urllib.request.urlopen(urllib.request.Request(location, headers=headers), timeout=60)
    reading = urllib.request.Request(location, headers=headers | caller)
    with urllib.request.urlopen(reading, timeout=60) as answer:
        assert json.load(answer)["name"] == "Ocean Blue Shirt"


@pytest.mark.skipif(
    os.geteuid() != 0, reason="only root can kill a container's process behind the engine's back"
)
@pytest.mark.parametrize("service", SERVICES)
def test_a_killed_process_comes_back(system: Composed, service: str) -> None:
    before = system.state(service)
    os.kill(before["Pid"], signal.SIGKILL)

    def is_another() -> None:
        assert system.state(service)["RestartCount"] == before["RestartCount"] + 1

    eventually_blocking(is_another)
    eventually_blocking(lambda: system.must_be_healthy(service), 90)


def test_zz_each_process_stops_by_itself_and_says_so(system: Composed) -> None:
    """The last test of this module: it stops what the others use."""
    system.compose("stop")
    assert {name: system.state(name)["ExitCode"] for name in SERVICES} == dict.fromkeys(SERVICES, 0)
