"""docker-compose.yml on a real container engine, under a project name and with ports of its own."""

import json
import os
import subprocess
import urllib.request
import uuid
from typing import Any

from deploy.development_token import token as development_token
from deploy.local.ports import free_port
from deploy.local.settings import DEFAULT_PORTS
from tests.deploy.compose_file import ROOT
from tests.deploy.observer_rules import PORTS as OBSERVER_PORTS
from tests.deploy.search_rules import PORT as SEARCH_PORT

_SCOPES = "products:write products:read products:read-drafts"
CALLER = {"Authorization": f"Bearer {development_token(_SCOPES)}"}
_PRODUCT = {
    "name": "Ocean Blue Shirt",
    "variants": [{"sku": "OBS-M", "price": {"amount": "50.00", "currency": "USD"}}],
}  # fmt: skip


def engine_is_missing() -> str:
    """Why these tests cannot run, or nothing."""
    if os.environ.get("TEST_DOCKER") != "1":
        return "TEST_DOCKER is not 1"
    try:
        answer = subprocess.run(["docker", "info"], capture_output=True, text=True, check=False, timeout=20)
    except OSError as error:
        return f"TEST_DOCKER is 1, but: {error}"
    return (
        "" if answer.returncode == 0 else f"TEST_DOCKER is 1, but `docker info` says: {answer.stderr.strip()}"
    )


def image_is_missing(name: str) -> bool:
    """Whether neither the engine nor a registry has it."""
    commands = (["image", "inspect", name], ["pull", "--quiet", name])
    return all(
        subprocess.run(["docker", *words], capture_output=True, check=False).returncode != 0
        for words in commands
    )


class Composed:
    """The system, with the profile `observe` if the address for its traces is given, or with another one."""

    def __init__(self, traces_to: str = "", profile: str = "") -> None:
        observers = {variable for variable, _ in OBSERVER_PORTS.values()}
        self.ports = {name: free_port() for name in {*DEFAULT_PORTS, *observers, SEARCH_PORT}}
        own = {"COMPOSE_PROJECT_NAME": f"test-{uuid.uuid4().hex[:8]}", "IMAGE_TAG": "test"}
        ports = {name: str(port) for name, port in self.ports.items()}
        self._environment = {**os.environ, **ports, **own, "OTEL_EXPORTER_OTLP_ENDPOINT": traces_to}
        chosen = "observe" if traces_to else profile
        self._profile = ["--profile", chosen] if chosen else []

    def compose(self, *arguments: str, seconds_max: float = 300) -> str:
        """Run `docker compose`; its failure carries what it said."""
        answer = self.run(*arguments, seconds_max=seconds_max)
        assert answer.returncode == 0, answer.stdout + answer.stderr
        return answer.stdout

    def run(
        self, *arguments: str, given: str = "", seconds_max: float = 300
    ) -> subprocess.CompletedProcess[str]:
        """Run `docker compose`, which may fail, with `given` as its standard input."""
        return subprocess.run(
            ["docker", "compose", *self._profile, *arguments], cwd=ROOT, env=self._environment, input=given,
            capture_output=True, text=True, check=False, timeout=seconds_max,
        )  # fmt: skip

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

    def write(self, **headers: str) -> tuple[str, str]:
        """Sends a product; returns where it can be read, and the token that waits for it."""
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.ports['COMMAND_PORT']}/v1/products",
            json.dumps(_PRODUCT).encode(), {"Content-Type": "application/json", **CALLER, **headers},
        )  # fmt: skip
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.headers["Location"], answer.headers["Consistency-Token"]

    def read(self, location: str, token: str, **headers: str) -> Any:
        """Reads a product as soon as it is there."""
        waiting = {"Consistency-Token": token, "Prefer": "wait=10"}
        reading = urllib.request.Request(location, headers={**waiting, **headers})
        with urllib.request.urlopen(reading, timeout=60) as answer:
            return json.load(answer)
