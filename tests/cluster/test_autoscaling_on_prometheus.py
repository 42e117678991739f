"""The component autoscaling-prometheus, with Prometheus and Prometheus Adapter behind it: the autoscalers act
on requests in flight and on lag."""

from collections.abc import Iterator

import pytest

from tests.cluster.adapter import CUSTOM, EXTERNAL, asked, metrics_for_autoscalers, programs
from tests.cluster.autoscalers import (
    forget_events,
    must_have_pods,
    must_have_scaled_for,
    quick,
    seen,
)
from tests.cluster.conftest import Record
from tests.cluster.installation import Installation
from tests.cluster.kubectl import cluster_ip, kubectl
from tests.cluster.lag import must_follow_lag
from tests.cluster.load import Load
from tests.cluster.nothing_lost import must_have_lost_nothing
from tests.cluster.waiting_reads import WaitingReads
from tests.eventually import eventually_blocking

pytestmark = [
    pytest.mark.prove,
    pytest.mark.skipif(
        programs() is None, reason="PROMETHEUS and PROMETHEUS_ADAPTER do not name two programs"
    ),
]
_IN_FLIGHT, _LAG = "http_server_requests_in_flight", "projector_lag_events"
# A minute's mean in Prometheus, three scrapes, and a busy machine.
_SECONDS_MAX = 300.0
_READERS = 100
_NO_PROCESSOR_TIME = {
    "target": {"kind": "HorizontalPodAutoscaler", "name": "query-api"},
    "patch": "- { op: replace, path: /spec/metrics/0/resource/target/averageUtilization, value: 10000 }",
}


@pytest.fixture(scope="module")
def scaled(installed: Installation, tag: str) -> Iterator[Installation]:
    """Only the windows are changed, and the processor time of the query API never counts."""
    further = {
        "components": ["../components/autoscaling-prometheus"],
        "patches": [quick("query-api"), quick("projector"), _NO_PROCESSOR_TIME],
    }
    with metrics_for_autoscalers(tag):
        installed.apply(tag, further=further)
        yield installed
    kubectl("delete", "horizontalpodautoscaler", "projector")
    installed.apply(tag)


def test_the_adapter_answers_for_each_pod_and_for_the_projections(
    scaled: Installation, record: Record
) -> None:
    for process in ("command-api", "query-api"):
        selected = f"{CUSTOM}/pods/*/{_IN_FLIGHT}?labelSelector=app.kubernetes.io%2Fname%3D{process}"
        items = eventually_blocking(lambda path=selected: asked(path), _SECONDS_MAX)  # type: ignore[misc]
        assert all(item["describedObject"]["name"].startswith(process) for item in items), items
        assert len(items) >= 2, items
    one_group = f"{EXTERNAL}/{_LAG}?labelSelector=group%20in%20%28product_view%2Cinventory%29"
    (lag,) = eventually_blocking(lambda: asked(one_group), _SECONDS_MAX)
    eventually_blocking(lambda: seen("projector", "External"), _SECONDS_MAX)
    record("metrics of the autoscalers", lag=lag["value"], in_flight=seen("query-api", "Pods"))


def test_waiting_reads_mean_more_query_apis_and_fewer_afterwards(
    scaled: Installation, record: Record
) -> None:
    urls = [f"http://{cluster_ip(name)}" for name in ("command-api", "query-api")]
    eventually_blocking(lambda: must_have_pods("query-api", at_most=2), _SECONDS_MAX)
    forget_events("query-api")
    with Load(*urls, commands=2, reads=8) as load:
        began_at = load.seconds
        with WaitingReads(*urls, readers=_READERS) as waiting:
            eventually_blocking(lambda: must_have_pods("query-api", at_least=3), _SECONDS_MAX)
            up_seconds = load.seconds - began_at
            in_flight = seen("query-api", "Pods")
        ended_at = load.seconds
        eventually_blocking(lambda: must_have_pods("query-api", at_most=2), _SECONDS_MAX)
        down_seconds = load.seconds - ended_at
        scaled.wait_until_ready()
    said = must_have_scaled_for("query-api", _IN_FLIGHT)
    record(
        "autoscaling on requests in flight",
        seconds_until_three_pods=round(up_seconds, 1), seconds_until_two_again=round(down_seconds, 1),
        seen=in_flight, new_size=said, waiting_reads=len(waiting.statuses), **load.tally.figures(),
    )  # fmt: skip
    waiting.must_have_no_failure()
    load.tally.must_have_no_failure()
    must_have_lost_nothing(load.tally)


def test_lag_means_more_projectors_and_fewer_afterwards(scaled: Installation, record: Record) -> None:
    must_follow_lag(scaled, record, "Prometheus Adapter", "projector", _LAG)
