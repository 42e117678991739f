"""The first apply on an empty cluster: whatever starts first waits for the others, and nobody has to help."""

import pytest

from tests.cluster.conftest import Record
from tests.cluster.installation import PROCESSES, Installation
from tests.cluster.kubectl import cluster_ip, objects
from tests.cluster.requests import must_be, write_and_read

pytestmark = pytest.mark.prove


def test_what_is_applied_at_once_becomes_ready_by_itself(installed: Installation, record: Record) -> None:
    """PostgreSQL is away when the first processes start: it begins with them."""
    must_be(200, write_and_read(*(f"http://{cluster_ip(name)}" for name in ("command-api", "query-api"))))
    restarts = {
        pod["metadata"]["name"]: pod["status"]["containerStatuses"][0]["restartCount"]
        for process in PROCESSES
        for pod in objects("pods", f"--selector=app.kubernetes.io/name={process}")
    }
    record("restarts during the first install", restarts=restarts)
    assert not any(restarts.values()), restarts


def test_every_pod_runs_with_the_rights_that_the_namespace_demands(installed: Installation) -> None:
    """The namespace refuses what is not `restricted`; then no pod would have been made."""
    refused = [
        event["message"]
        for event in objects("events")
        if event["reason"] == "FailedCreate" and "PodSecurity" in event["message"]
    ]
    assert not refused
    for pod in objects("pods"):
        assert pod["spec"]["securityContext"]["runAsNonRoot"], pod["metadata"]["name"]
