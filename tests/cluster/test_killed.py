"""Processes are killed, and pods deleted, under load."""

import os

import pytest

from tests.cluster.conftest import Record
from tests.cluster.installation import PROCESSES, Installation
from tests.cluster.kubectl import cluster_ip, kubectl, pods
from tests.cluster.load import Load
from tests.cluster.node import kill
from tests.cluster.nothing_lost import must_have_lost_nothing
from tests.cluster.requests import must_be, write_and_read
from tests.eventually import eventually_blocking

pytestmark = pytest.mark.prove
# A request under way in a killed API has no answer, and Services need a moment to leave the pod out.
# Without a projector or relay a read may wait for its write longer than it wants to. All else is a fault.
_OF_A_KILLED_API = ("connection lost", "cannot connect", "503 overloaded")
_MAY_FAIL = {
    "command-api": _OF_A_KILLED_API,
    "query-api": _OF_A_KILLED_API,
    "relay": ("503 read-model-behind",),
    "projector": ("503 read-model-behind",),
}


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can kill a container's process")
@pytest.mark.parametrize("process", PROCESSES)
def test_a_killed_process_loses_nothing(
    installed: Installation, load: Load, process: str, record: Record
) -> None:
    commands, queries = (f"http://{cluster_ip(name)}" for name in ("command-api", "query-api"))
    victim = pods(process)[0]
    restarts = _restarts(process)
    killed_at = load.seconds
    kill(victim)
    # Half the partitions may belong to the one that died, so several products are asked for.
    for _ in range(6):
        eventually_blocking(lambda: must_be(200, write_and_read(commands, queries)), 120)
    seconds = load.seconds - killed_at
    eventually_blocking(lambda: _must_have_restarted(process, restarts), 120)
    installed.wait_until_ready()
    ready = load.seconds - killed_at
    load.stop()
    record(
        f"kill -9 of {process}", seconds_until_token_reads=round(seconds, 1),
        seconds_until_ready=round(ready, 1), **load.tally.figures(),
    )  # fmt: skip
    assert all(each.what.startswith(_MAY_FAIL[process]) for each in load.tally.failed), load.tally.figures()
    must_have_lost_nothing(load.tally)


@pytest.mark.parametrize("process", PROCESSES)
def test_a_deleted_pod_fails_no_request(
    installed: Installation, load: Load, process: str, record: Record
) -> None:
    deleted_at = load.seconds
    kubectl("delete", "pod", pods(process)[0]["metadata"]["name"], "--wait=false")
    installed.wait_until_ready()
    seconds = load.seconds - deleted_at
    load.stop()
    record(f"a pod of {process} deleted", seconds_until_ready=round(seconds, 1), **load.tally.figures())
    load.tally.must_have_no_failure()
    must_have_lost_nothing(load.tally)


def _restarts(process: str) -> int:
    return sum(pod["status"]["containerStatuses"][0]["restartCount"] for pod in pods(process))


def _must_have_restarted(process: str, before: int) -> None:
    assert _restarts(process) > before
