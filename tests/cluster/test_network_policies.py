"""Who reaches whom, asked from inside the pods: allowed flows work, all others are refused."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import pytest
import yaml

from tests.cluster.conftest import Record
from tests.cluster.installation import PROCESSES, Installation
from tests.cluster.kubectl import NAMESPACE, kubectl, pods, run
from tests.eventually import eventually_blocking

pytestmark = [
    pytest.mark.prove,
    pytest.mark.skipif(
        os.environ.get("CLUSTER_ENFORCES_POLICIES") != "1", reason="CLUSTER_ENFORCES_POLICIES is not 1"
    ),
]
_SERVERS = {"postgres": 5432, "redis": 6379, "kafka": 9092}
_MAY = {
    "command-api": {"postgres", "redis"},
    "relay": {"postgres", "kafka"},
    "projector": {"postgres", "redis", "kafka"},
    "query-api": {"postgres", "redis"},
}
# A refused connection, or none in time: both are what a policy does.
_ASK = """
import json, socket, sys
def reaches(host, port):
    try:
        socket.create_connection((host, port), 3).close()
        return True
    except OSError:
        return False
print(json.dumps([reaches(host, port) for host, port in json.loads(sys.argv[1])]))
"""


class Target(NamedTuple):
    """An address of the installation; `kind` says what it is."""

    kind: str
    host: str
    port: int


def _reached(namespace: str, pod: str, targets: list[tuple[str, int]]) -> list[bool]:
    said = kubectl(f"--namespace={namespace}", "exec", pod, "--", "python", "-c", _ASK, json.dumps(targets))
    found: list[bool] = json.loads(said)
    return found


@pytest.mark.parametrize("process", PROCESSES)
def test_a_process_reaches_its_own_servers_and_no_other(
    installed: Installation, process: str, record: Record
) -> None:
    """By name, so DNS is among what is allowed."""
    name = pods(process)[0]["metadata"]["name"]
    reached = dict(zip(_SERVERS, _reached(NAMESPACE, name, list(_SERVERS.items())), strict=True))
    (kubernetes,) = _reached(NAMESPACE, name, [("10.96.0.1", 443)])
    record(f"{process} reaches", servers=reached, kubernetes=kubernetes)
    assert {server for server, is_open in reached.items() if is_open} == _MAY[process]
    assert not kubernetes, "a process has no business with the API of Kubernetes"


@pytest.mark.parametrize(
    ("namespace", "may_reach"),
    [(NAMESPACE, set()), ("trial-of-strangers", set()), ("nginx-ingress", {"http"}), ("monitoring", {"ops"})],
    ids=["a pod without labels beside them", "another namespace", "the gateway", "the monitoring"],
)  # fmt: skip
def test_others_reach_what_they_are_for(
    installed: Installation, tag: str, namespace: str, may_reach: set[str], record: Record
) -> None:
    targets = _targets()
    with _asking(namespace, tag) as asker:
        # The rules of a new pod come a moment after it: what is meant to be open has to open.
        eventually_blocking(lambda: _must_reach(asker, namespace, targets, may_reach))
        reached = _reached(namespace, asker, [target[1:] for target in targets])
        kinds = {target.kind for target, is_open in zip(targets, reached, strict=True) if is_open}
        record(f"a pod in {namespace} reaches", kinds=sorted(kinds), asked=len(targets))
        assert kinds == may_reach


def _must_reach(pod: str, namespace: str, targets: list[Target], may_reach: set[str]) -> None:
    reached = _reached(namespace, pod, [target[1:] for target in targets])
    assert [each.kind in may_reach for each in targets] == reached


def _targets() -> list[Target]:
    """Each port of a pod of each process, and the servers; by address, because a stranger may have no DNS."""
    found = []
    for name in (*PROCESSES, *_SERVERS):
        pod = pods(name)[0]
        for port in pod["spec"]["containers"][0]["ports"]:
            found.append(Target(port["name"], pod["status"]["podIP"], port["containerPort"]))
    return found


@contextmanager
def _asking(namespace: str, tag: str) -> Iterator[str]:
    """A pod that asks; it and its namespace are gone afterwards."""
    is_new = namespace != NAMESPACE
    if is_new:
        kubectl("apply", "--filename=-", given=yaml.safe_dump(_of_kind("Namespace", namespace)))
    kubectl(f"--namespace={namespace}", "apply", "--filename=-", given=yaml.safe_dump(_pod(tag)))
    try:
        kubectl(f"--namespace={namespace}", "wait", "--for=condition=Ready", "pod/asker", "--timeout=90s")
        yield "asker"
    finally:
        run(f"--namespace={namespace}", "delete", "pod", "asker", "--grace-period=0", "--force")
        if is_new:
            run("delete", "namespace", namespace, "--wait=true")


def _of_kind(kind: str, name: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": kind, "metadata": {"name": name}}


def _pod(tag: str) -> dict[str, Any]:
    """One of our images, because Python is in it; it does nothing but wait."""
    container = {
        "name": "asker",
        "image": f"product-catalogue/query-api:{tag}",
        "command": ["python", "-c", "import time; time.sleep(3600)"],
        "resources": {
            "requests": {"cpu": "10m", "memory": "64Mi"},
            "limits": {"memory": "64Mi"},
        },
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
    }
    spec = {
        "automountServiceAccountToken": False,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": 65532,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [container],
    }
    return _of_kind("Pod", "asker") | {"spec": spec}
