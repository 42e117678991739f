"""What only the node can do: end a process behind Kubernetes' back. The trials run on the node."""

import os
import signal
from pathlib import Path
from typing import Any


def kill(pod: Any) -> None:
    """SIGKILL for the first process of the pod's first container."""
    container = pod["status"]["containerStatuses"][0]["containerID"].split("//")[1]
    os.kill(_first_process(container), signal.SIGKILL)


def _first_process(container: str) -> int:
    for cgroup in Path("/proc").glob("[0-9]*/cgroup"):
        try:
            is_inside = container in cgroup.read_text()
            status = (cgroup.parent / "status").read_text()
        except OSError:  # it has ended meanwhile
            continue
        ids = next(line.split()[1:] for line in status.splitlines() if line.startswith("NSpid:"))
        if is_inside and ids[-1] == "1":
            return int(cgroup.parent.name)
    raise LookupError(f"container {container} has no process on this machine")
