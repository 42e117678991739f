"""The component autoscaling-keda, with KEDA itself behind it: it acts on the lag that the broker tells."""

from collections.abc import Iterator

import pytest

from tests.cluster.conftest import Record
from tests.cluster.installation import Installation
from tests.cluster.keda import found_keda, keda, must_be_scaled_by_keda
from tests.cluster.kubectl import kubectl
from tests.cluster.lag import must_follow_lag
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
