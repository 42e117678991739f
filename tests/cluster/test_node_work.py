"""What a platform team does to a node while the system is under load."""

import os
import shlex
import subprocess
from collections.abc import Iterator

import pytest

from tests.cluster.conftest import Record
from tests.cluster.installation import PROCESSES, Installation
from tests.cluster.kubectl import is_ready, kubectl, objects, pods
from tests.cluster.load import Load
from tests.cluster.nothing_lost import must_have_lost_nothing
from tests.cluster.watches import ReadyEndpoints
from tests.eventually import eventually_blocking

pytestmark = pytest.mark.prove
_RESTART_KUBELET = os.environ.get("CLUSTER_RESTART_KUBELET", "")


@pytest.fixture
def node() -> Iterator[str]:
    """The one node; it takes pods again afterwards."""
    (found,) = objects("nodes")
    name = found["metadata"]["name"]
    yield name
    kubectl("uncordon", name)


def test_a_drain_takes_one_pod_of_a_process_at_a_time(
    installed: Installation, load: Load, node: str, record: Record
) -> None:
    """There is no other node: the first pod of each process goes, and the budget protects the second one
    until the node takes pods again. Then the drain goes on, and ends."""
    selector = f"app.kubernetes.io/name in ({','.join(PROCESSES)})"
    before = {process: {pod["metadata"]["uid"] for pod in pods(process)} for process in PROCESSES}
    with ReadyEndpoints() as endpoints:
        options = [f"--pod-selector={selector}", "--delete-emptydir-data", "--timeout=300s"]
        drain = subprocess.Popen(
            ["kubectl", "drain", node, *options],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip
        eventually_blocking(lambda: _must_have_lost_one_each(before), 120)
        # The budget is asked again every five seconds: it has to refuse more than once.
        waited_from = load.seconds
        eventually_blocking(lambda: _must_have_flowed(load, waited_from + 15), 60)
        protected = {process: sum(map(is_ready, pods(process))) for process in PROCESSES}
        assert drain.poll() is None, drain.communicate()[0]
        kubectl("uncordon", node)
        said, _ = drain.communicate(timeout=320)
        assert drain.returncode == 0, said
        installed.wait_until_ready()
    load.stop()
    refusals = said.count("would violate the pod's disruption budget")
    fewest = {process: endpoints.fewest(process) for process in PROCESSES}
    record("drain", refusals=refusals, protected=protected, fewest_endpoints=fewest, **load.tally.figures())
    assert refusals > 0
    assert protected == {process: len(uids) - 1 for process, uids in before.items()}
    assert all(fewest.values())
    load.tally.must_have_no_failure()
    must_have_lost_nothing(load.tally)


@pytest.mark.skipif(not _RESTART_KUBELET, reason="CLUSTER_RESTART_KUBELET names no command")
def test_a_restart_of_the_kubelet_restarts_no_process_and_cuts_no_connection(
    installed: Installation, load: Load, record: Record
) -> None:
    before = {
        pod["metadata"]["uid"]: pod["status"]["containerStatuses"][0]["restartCount"]
        for process in PROCESSES
        for pod in pods(process)
    }
    with ReadyEndpoints() as endpoints:
        subprocess.run(shlex.split(_RESTART_KUBELET), check=True, stdin=subprocess.DEVNULL, timeout=300)
        restarted_at = load.seconds
        eventually_blocking(lambda: _must_have_flowed(load, restarted_at + 30), 120)
    installed.wait_until_ready()
    after = {
        pod["metadata"]["uid"]: pod["status"]["containerStatuses"][0]["restartCount"]
        for process in PROCESSES
        for pod in pods(process)
    }
    load.stop()
    changes = {process: endpoints.changes[process] for process in PROCESSES}
    failed = {each.what for each in load.tally.failed}
    record("kubelet restarted", changed=after != before, endpoints=changes, **load.tally.figures())
    assert after == before
    # A kubelet that starts calls each pod of its node unready until the first probe (KEP-4781), so on
    # the only node all Services are empty for two seconds: new connections are refused, open ones go on.
    assert failed <= {"cannot connect"}, load.tally.figures()
    must_have_lost_nothing(load.tally)


def _must_have_lost_one_each(before: dict[str, set[str]]) -> None:
    for process, uids in before.items():
        left = uids & {pod["metadata"]["uid"] for pod in pods(process)}
        assert len(left) == len(uids) - 1, f"{process}: {len(left)} of {len(uids)} are left"


def _must_have_flowed(load: Load, until_seconds: float) -> None:
    assert load.seconds >= until_seconds
