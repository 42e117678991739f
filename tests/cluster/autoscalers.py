"""What an autoscaler sees and does."""

from typing import Any

from tests.cluster.kubectl import NAMESPACE, kubectl, objects, one

_OF_AUTOSCALER = "--field-selector=involvedObject.kind=HorizontalPodAutoscaler,involvedObject.name="


def quick(name: str) -> dict[str, object]:
    """A patch: up at once, and down after 15 s. The manifests wait some minutes, a trial does not."""
    return {
        "target": {"kind": "HorizontalPodAutoscaler", "name": name},
        "patch": "- { op: add, path: /spec/behavior/scaleUp/stabilizationWindowSeconds, value: 0 }\n"
        "- { op: replace, path: /spec/behavior/scaleDown/stabilizationWindowSeconds, value: 15 }",
    }


def seen(name: str, kind: str) -> str:
    """The mean that it sees of its metric of this kind. An AssertionError says that it sees none yet."""
    autoscaler = one("horizontalpodautoscaler", name)
    for metric in autoscaler["status"].get("currentMetrics") or []:
        if metric["type"] == kind:
            value: str = metric[kind.lower()]["current"]["averageValue"]
            return value
    raise AssertionError(f"{name} sees no metric of {kind}: {autoscaler['status'].get('conditions')}")


def forget_events(name: str) -> None:
    """So that those of an earlier trial prove nothing."""
    kubectl("delete", "events", f"{_OF_AUTOSCALER}{name}")


def must_have_scaled_for(name: str, metric: str) -> str:
    """The new size that it names."""
    messages = [event["message"] for event in objects("events", f"{_OF_AUTOSCALER}{name}")]
    found = [message for message in messages if metric in message and "above target" in message]
    assert found, messages
    return str(found[0]).split(";")[0]


def must_have_pods(process: str, *, at_least: int = 0, at_most: int = 100) -> None:
    """For `eventually_blocking`: wanted, and ready."""
    deployment: Any = one("deployment", process)
    assert at_least <= deployment["spec"]["replicas"] <= at_most, (NAMESPACE, process, deployment["status"])
    assert at_least <= deployment["status"].get("readyReplicas", 0) <= at_most, deployment["status"]
