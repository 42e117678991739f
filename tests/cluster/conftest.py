"""One installation for all trials of a run."""

import json
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.cluster.installation import Installation, make_volumes, why_no_cluster
from tests.cluster.kubectl import cluster_ip, objects
from tests.cluster.load import Load

Record = Callable[..., None]
_IS_REUSED = os.environ.get("CLUSTER_REUSE") == "1"
_REQUESTS_PER_SECOND = float(os.environ.get("CLUSTER_REQUESTS_PER_SECOND", "50"))


@pytest.fixture(scope="session")
def cluster() -> None:
    """Skips without a cluster: TEST_CLUSTER=1 asks for it."""
    if reason := why_no_cluster():
        pytest.skip(reason)


@pytest.fixture(scope="session")
def tag() -> str:
    """Of our three images, which the nodes have."""
    return os.environ.get("CLUSTER_IMAGES_TAG", "dev")


@pytest.fixture(scope="session")
def empty(cluster: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """Nothing is installed yet. What is installed is removed after the run, unless CLUSTER_KEEP=1."""
    installation = Installation(tmp_path_factory.mktemp("release"))
    if not _IS_REUSED:
        installation.remove()
        if volumes := os.environ.get("CLUSTER_VOLUMES"):
            (node,) = objects("nodes")
            make_volumes(Path(volumes), node["metadata"]["name"])
    yield installation
    if os.environ.get("CLUSTER_KEEP") != "1":
        installation.remove()


@pytest.fixture(scope="session")
def installed(empty: Installation, tag: str, record: Record) -> Installation:
    """The present release, ready."""
    seconds = empty.apply(tag)
    if not _IS_REUSED:
        record("apply on an empty cluster", seconds_until_ready=round(seconds, 1))
    return empty


@pytest.fixture
def load(installed: Installation) -> Iterator[Load]:
    """Requests through the Services, three of ten of them writes."""
    urls = [f"http://{cluster_ip(name)}" for name in ("command-api", "query-api")]
    with Load(*urls, commands=0.3 * _REQUESTS_PER_SECOND, reads=0.7 * _REQUESTS_PER_SECOND) as started:
        yield started


@pytest.fixture(scope="session")
def record() -> Record:
    """Prints the figures of a trial, and adds them to a file, of which docs/kubernetes-trials.md is made."""
    file = Path(os.environ.get("CLUSTER_REPORT", ".local/cluster-trials.jsonl"))
    file.parent.mkdir(parents=True, exist_ok=True)

    def write(trial: str, **figures: object) -> None:
        line = json.dumps({"at": time.strftime("%FT%TZ", time.gmtime()), "trial": trial, **figures})
        print(line)
        with file.open("a") as opened:
            opened.write(line + "\n")

    return write
