"""The images are built and the system is started from docker-compose.yml: opt-in, because it takes minutes.

TEST_DOCKER=1 asks for it. POSTGRES_IMAGE, REDIS_IMAGE and KAFKA_IMAGE are passed on, so that it also runs
where no registry can be reached (deploy/compose/servers/Dockerfile). Ports and project are its own.
"""

import os
import signal
import urllib.error
from collections.abc import Iterator

import pytest

from tests.deploy.composed import CALLER, Composed, engine_is_missing
from tests.deploy.processes import SERVICES
from tests.eventually import eventually_blocking

pytestmark = [
    pytest.mark.prove,
    pytest.mark.skipif(bool(engine_is_missing()), reason=engine_is_missing() or ""),
]


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
    location, token = system.write()
    assert location.startswith(f"http://127.0.0.1:{system.ports['QUERY_PORT']}/")
    with pytest.raises(urllib.error.HTTPError, match="401"):
        system.read(location, token)
    assert system.read(location, token, **CALLER)["name"] == "Ocean Blue Shirt"


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
