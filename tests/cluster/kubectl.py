"""kubectl as a program: what an operator types is what the trials do."""

import json
import subprocess
from pathlib import Path
from typing import Any

NAMESPACE = "product-catalogue"
# Before a command whose objects name their own namespaces.
ANYWHERE = "--namespace="


def kubectl(*arguments: str, given: str | None = None, seconds_max: float = 300) -> str:
    """What it prints. An AssertionError carries what it said when it failed."""
    answer = run(*arguments, given=given, seconds_max=seconds_max)
    assert answer.returncode == 0, f"kubectl {' '.join(arguments)}: {answer.stdout}{answer.stderr}"
    return answer.stdout


def run(
    *arguments: str, given: str | None = None, seconds_max: float = 300
) -> subprocess.CompletedProcess[str]:
    """The same for a command that may fail."""
    return subprocess.run(
        ["kubectl", f"--namespace={NAMESPACE}", *arguments],
        input=given, stdin=subprocess.DEVNULL if given is None else None,
        capture_output=True, text=True, check=False, timeout=seconds_max,
    )  # fmt: skip


def objects(kind: str, *selection: str) -> list[Any]:
    """All objects of a kind that fit."""
    items: list[Any] = json.loads(kubectl("get", kind, *selection, "--output=json"))["items"]
    return items


def one(kind: str, name: str) -> Any:
    """An object by its name."""
    return json.loads(kubectl("get", kind, name, "--output=json"))


def pods(process: str) -> list[Any]:
    """The pods of a process that nobody has asked to end."""
    found = objects("pods", f"--selector=app.kubernetes.io/name={process}")
    return [pod for pod in found if "deletionTimestamp" not in pod["metadata"]]


def is_ready(pod: Any) -> bool:
    """Whether Services send requests to it."""
    conditions = pod["status"].get("conditions", [])
    return any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)


def rendered(folder: Path) -> str:
    """The objects of a folder, as YAML."""
    return kubectl("kustomize", str(folder), seconds_max=60)


def cluster_ip(service: str) -> str:
    """The address of a Service, which the node can reach, too."""
    address: str = one("service", service)["spec"]["clusterIP"]
    return address
