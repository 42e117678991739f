"""A release with a wrong password: the pods of the release before go on, and the next apply mends it."""

import pytest

from tests.cluster.conftest import Record
from tests.cluster.installation import Installation
from tests.cluster.kubectl import is_ready, kubectl, objects, one
from tests.cluster.load import Load
from tests.cluster.nothing_lost import must_have_lost_nothing
from tests.eventually import eventually_blocking

pytestmark = pytest.mark.prove
_WRONG = "a-password-of-nobody-4711"
_SECRETS = {
    "event-store-writer": ("EVENT_STORE_DSN", "catalogue_writer", "event_store"),
    "read-model-projector": ("READ_MODEL_DSN", "catalogue_projector", "read_model"),
    "read-model-reader": ("READ_MODEL_DSN", "catalogue_reader", "read_model"),
}
_TOUCHED = ("command-api", "relay", "projector", "query-api")


def test_a_wrong_password_stops_the_rollout_and_nothing_else(
    installed: Installation, load: Load, tag: str, record: Record
) -> None:
    generators = [
        {
            "name": name,
            "namespace": "product-catalogue",
            "behavior": "merge",
            "literals": [f"{key}=postgresql://{role}:{_WRONG}@postgres:5432/{database}"],
        }
        for name, (key, role, database) in _SECRETS.items()
    ]
    before = {process: _generation(process) for process in _TOUCHED}
    served = {process: sum(is_ready(pod) for pod in _all(process)) for process in _TOUCHED}
    installed.apply(tag, further={"secretGenerator": generators}, is_waiting=False)
    eventually_blocking(lambda: _must_have_begun(before), 60)
    waiting = {process: eventually_blocking(lambda p=process: _says_why(p), 120) for process in _TOUCHED}  # type: ignore[misc]
    ready = {process: sum(is_ready(pod) for pod in _all(process)) for process in _TOUCHED}
    everything = "".join(
        kubectl("logs", pod["metadata"]["name"], "--all-containers", "--ignore-errors", "--tail=-1")
        for pod in objects("pods")
    )
    mended = installed.apply(tag)
    load.stop()
    record(
        "a wrong password", ready_pods_meanwhile=ready, last_log_lines=waiting,
        mended_seconds=round(mended, 1), **load.tally.figures(),
    )  # fmt: skip
    assert all(ready[process] >= min(2, served[process]) for process in _TOUCHED), (served, ready)
    assert _WRONG not in everything
    load.tally.must_have_no_failure()
    must_have_lost_nothing(load.tally)


def _all(process: str) -> list[dict[str, dict[str, str]]]:
    return objects("pods", f"--selector=app.kubernetes.io/name={process}")


def _generation(process: str) -> int:
    generation: int = one("deployment", process)["status"]["observedGeneration"]
    return generation


def _must_have_begun(before: dict[str, int]) -> None:
    for process, generation in before.items():
        assert _generation(process) > generation, f"{process} has no new pods"


def _says_why(process: str) -> str:
    """The last line of the pod that cannot sign in, as soon as it tells the reason."""
    waiting = [pod for pod in _all(process) if not is_ready(pod)]
    assert waiting, f"{process}: no pod waits"
    said = kubectl("logs", waiting[0]["metadata"]["name"], "--tail=30", "--ignore-errors").splitlines()
    reasons = [line for line in said if "password" in line]
    assert reasons, f"{process}: {said[-3:]}"
    return reasons[-1][:300]
