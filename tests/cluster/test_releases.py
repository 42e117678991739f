"""A release with a new migration soon after the first; then back to the first, whose schema is older."""

import os
from typing import Any

import pytest

from tests.cluster.conftest import Record
from tests.cluster.images import NEW_TABLE
from tests.cluster.installation import PROCESSES, Installation
from tests.cluster.kubectl import is_ready, kubectl, objects
from tests.cluster.load import Load
from tests.cluster.nothing_lost import must_have_lost_nothing
from tests.cluster.requests import send
from tests.eventually import eventually_blocking

pytestmark = [
    pytest.mark.prove,
    pytest.mark.skipif("CLUSTER_NO_NEXT" in os.environ, reason="there are no images of a next release"),
]
_SUSPENDED = {
    "patches": [
        {"target": {"kind": "Job"}, "patch": "- { op: add, path: /spec/suspend, value: true }"},
    ]
}


def test_a_release_waits_for_its_migrations_and_neither_it_nor_the_way_back_fails_a_request(
    installed: Installation, load: Load, tag: str, record: Record
) -> None:
    """First the present release is finished, as its operators do before the next one.

    The migrations are held up, so pods of the new release meet the schema of the one before: they wait and
    say why, while the old pods serve. On the way back, old pods meet the newer schema.
    """
    following = f"{tag}-next"
    installed.finish(tag)
    installed.apply(following, further=_SUSPENDED, is_waiting=False)
    reasons = {
        process: eventually_blocking(lambda p=process: _says_why(p, following), 120)  # type: ignore[misc]
        for process in PROCESSES
    }
    ready = {process: sum(map(is_ready, _pods_of(process, tag))) for process in PROCESSES}
    forward = installed.apply(following)
    tables = _databases_with_the_new_table()
    back = installed.apply(tag)
    load.stop()
    record(
        "a release with a migration, and back", not_ready_because=reasons, old_pods_ready=ready,
        forward_seconds=round(forward, 1), back_seconds=round(back, 1), migrated=tables,
        **load.tally.figures(),
    )  # fmt: skip
    assert all(NEW_TABLE in reason for reason in reasons.values()), reasons
    assert set(ready.values()) == {2}
    assert tables == ["event_store", "read_model"]
    load.tally.must_have_no_failure()
    must_have_lost_nothing(load.tally)


def _pods_of(process: str, tag: str) -> list[Any]:
    every = objects("pods", f"--selector=app.kubernetes.io/name={process}")
    return [pod for pod in every if pod["spec"]["containers"][0]["image"].endswith(f":{tag}")]


def _says_why(process: str, tag: str) -> str:
    """What a pod of the release answers to those who ask whether it is ready."""
    (pod,) = _pods_of(process, tag)[:1] or [None]
    assert pod is not None, f"{process}: no pod of the new release yet"
    (port,) = [port for port in pod["spec"]["containers"][0]["ports"] if port["name"] == "ops"]
    answer = send("GET", f"http://{pod['status'].get('podIP', '')}:{port['containerPort']}/readyz")
    assert answer.status == 503, f"{process}: {answer}"
    assert not is_ready(pod)
    return answer.body.decode()


def _databases_with_the_new_table() -> list[str]:
    question = f"SELECT to_regclass('{NEW_TABLE}') IS NOT NULL"
    psql = ("exec", "postgres-0", "--", "psql", "-XAtU", "postgres", "-c", question, "-d")
    return [name for name in ("event_store", "read_model") if kubectl(*psql, name).strip() == "t"]
