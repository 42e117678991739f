"""What changes while a trial runs: the ready pods behind each Service."""

import subprocess
import threading
import time
from typing import Self

from tests.cluster.kubectl import NAMESPACE

# A template of Go: kubectl forgets where it is in a `range` of JSONPath when a second object comes.
_LINE = (
    '{{index .metadata.labels "kubernetes.io/service-name"}}'
    '{{range .endpoints}} {{.conditions.ready}}{{end}}{{"\\n"}}'
)


class ReadyEndpoints:
    """Notes each change of the number of ready endpoints, by Service, from `with` until its end."""

    def __init__(self) -> None:
        self.started = time.monotonic()
        self.changes: dict[str, list[tuple[float, int]]] = {}
        self._watch: subprocess.Popen[str] | None = None
        self._thread = threading.Thread(target=self._note)
        self._begun = threading.Event()

    def __enter__(self) -> Self:
        what = [
            f"--namespace={NAMESPACE}",
            "get",
            "endpointslices",
            "--watch",
            f"--output=go-template={_LINE}",
        ]
        self._watch = subprocess.Popen(
            ["kubectl", *what], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True
        )
        self._thread.start()
        assert self._begun.wait(30), "no endpoints were seen"
        return self

    def __exit__(self, *_: object) -> None:
        assert self._watch is not None
        self._watch.terminate()
        self._thread.join()
        self._watch.wait()

    def fewest(self, service: str) -> int:
        """The lowest number that was seen."""
        return min(count for _, count in self.changes[service])

    def _note(self) -> None:
        assert self._watch is not None
        assert self._watch.stdout is not None
        for line in self._watch.stdout:
            service, *ready = line.split()
            seen = self.changes.setdefault(service, [])
            seen.append((round(time.monotonic() - self.started, 2), ready.count("true")))
            self._begun.set()
        self._watch.stdout.close()
