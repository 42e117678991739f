"""The component autoscaling-keda, with KEDA itself behind it: it acts on the lag that the broker tells."""

import time
from collections.abc import Iterator

import pytest

from tests.cluster.autoscalers import must_have_pods
from tests.cluster.conftest import Record
from tests.cluster.installation import Installation
from tests.cluster.keda import found_keda, keda, must_be_scaled_by_keda
from tests.cluster.kubectl import kubectl
from tests.cluster.lag import EVENTS_FOR_A_THIRD, lag_of, must_follow_lag
from tests.eventually import eventually_blocking

pytestmark = [
    pytest.mark.prove,
    pytest.mark.skipif(
        found_keda() is None, reason="KEDA_SOURCE, KEDA_OPERATOR and KEDA_ADAPTER do not name KEDA"
    ),
]
_BEHAVIOR = "/spec/advanced/horizontalPodAutoscalerConfig/behavior"
_QUICK = {
    "target": {"kind": "ScaledObject", "name": "projector"},
    "patch": f"- {{ op: replace, path: {_BEHAVIOR}/scaleUp/stabilizationWindowSeconds, value: 0 }}\n"
    f"- {{ op: replace, path: {_BEHAVIOR}/scaleDown/stabilizationWindowSeconds, value: 15 }}",
}
_WATCHED_SECONDS = 120
_MAY_ASK_KAFKA = {
    "target": {"kind": "NetworkPolicy", "name": "kafka"},
    "patch": "- op: add\n  path: /spec/ingress/0/from/-\n  value:\n"
    "    namespaceSelector: { matchLabels: { kubernetes.io/metadata.name: keda } }",
}


@pytest.fixture(scope="module")
def scaled(installed: Installation, tag: str) -> Iterator[Installation]:
    """Only the windows are changed."""
    further = {"components": ["../components/autoscaling-keda"], "patches": [_QUICK, _MAY_ASK_KAFKA]}
    with keda(tag):
        installed.apply(tag, further=further)
        yield installed
        kubectl("delete", "scaledobject", "projector")
    installed.apply(tag)


def test_keda_gets_an_answer_for_each_projection(scaled: Installation) -> None:
    eventually_blocking(must_be_scaled_by_keda, 180)


def test_lag_means_more_projectors_and_fewer_afterwards(scaled: Installation, record: Record) -> None:
    must_follow_lag(scaled, record, "KEDA", "keda-hpa-projector", "kafka-products-events")


def test_a_broker_that_cannot_be_asked_takes_no_projector_away(scaled: Installation, record: Record) -> None:
    with lag_of(EVENTS_FOR_A_THIRD):
        eventually_blocking(lambda: must_have_pods("projector", at_least=3), 300)
        kubectl("scale", "statefulset/kafka", "--replicas=0")
        try:
            # A lag of nothing would take one away after some twenty seconds.
            for _ in range(_WATCHED_SECONDS):
                must_have_pods("projector", at_least=3)
                time.sleep(1)
        finally:
            kubectl("scale", "statefulset/kafka", "--replicas=1")
    eventually_blocking(lambda: must_have_pods("projector", at_most=2), 300)
    scaled.wait_until_ready()
    record("autoscaling on lag, KEDA, broker away", projectors_without_it=3)
