"""The profile `observe` is started on a real container engine: opt-in, like the test of the system itself.

PROMETHEUS_IMAGE, JAEGER_IMAGE, LOKI_IMAGE and COLLECTOR_IMAGE are passed on. Grafana is not needed here.
"""

import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import pytest

from tests.deploy.composed import CALLER, Composed, engine_is_missing, image_is_missing
from tests.deploy.processes import SERVICES
from tests.eventually import eventually_blocking

_NEEDED = ("prometheus", "jaeger", "loki", "collector")
_TRACE_ID = "5af7183fb1d4cf5f0b1c2d3e4f506172"
# Of docs/traces.md. Mails are off, and an event has more projections than these.
_SPANS = {
    ("command-api", "POST /v1/products"),
    ("command-api", "execute command"),
    ("command-api", "append"),
    ("relay", "publish"),
    ("projector", "process product_view"),
    ("projector", "process product_cache"),
    ("projector", "write"),
}

pytestmark = [
    pytest.mark.prove,
    pytest.mark.skipif(bool(engine_is_missing()), reason=engine_is_missing() or ""),
]


@pytest.fixture(scope="module")
def observed() -> Iterator[Composed]:
    """Built, started and ready; removed with its data afterwards."""
    composed = Composed(traces_to="http://collector:4318")
    services = json.loads(composed.compose("config", "--format", "json"))["services"]
    for name in _NEEDED:
        if image_is_missing(services[name]["image"]):
            pytest.skip(f"the image {services[name]['image']} cannot be had")
    composed.compose("build", seconds_max=900)
    try:
        composed.compose("up", "--wait", "--wait-timeout", "240", *SERVICES, *_NEEDED)
        yield composed
    finally:
        composed.compose("down", "--volumes", "--remove-orphans")


def _answer(observed: Composed, port: str, path: str) -> Any:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{observed.ports[port]}{path}", timeout=30) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as error:
        raise AssertionError(f"{path}: {error}") from error


def test_prometheus_reads_all_four_processes_and_every_rule(observed: Composed) -> None:
    def all_are_up() -> None:
        targets = _answer(observed, "PROMETHEUS_PORT", "/api/v1/targets")["data"]["activeTargets"]
        assert {(one["labels"]["job"], one["health"]) for one in targets} == {
            (name, "up") for name in SERVICES
        }

    eventually_blocking(all_are_up)
    groups = _answer(observed, "PROMETHEUS_PORT", "/api/v1/rules")["data"]["groups"]
    assert groups
    assert [rule["name"] for group in groups for rule in group["rules"] if rule["health"] == "err"] == []


def test_a_command_is_followed_in_jaeger_and_its_lines_are_in_loki(observed: Composed) -> None:
    parent = f"00-{_TRACE_ID}-00f067aa0ba902b7-01"
    location, token = observed.write(traceparent=parent)
    observed.read(location, token, traceparent=parent, **CALLER)

    def all_hops_are_there() -> None:
        (trace,) = _answer(observed, "JAEGER_PORT", f"/api/traces/{_TRACE_ID}")["data"]
        names = {process: found["serviceName"] for process, found in trace["processes"].items()}
        spans = {(names[span["processID"]], span["operationName"]) for span in trace["spans"]}
        assert spans >= _SPANS
        assert "query-api" in names.values()

    eventually_blocking(all_hops_are_there, 120)

    def its_lines_are_there() -> None:
        query = urlencode({"query": f'{{service_name=~".+"}} | trace_id="{_TRACE_ID}"'})
        result = _answer(observed, "LOKI_PORT", f"/loki/api/v1/query_range?{query}")["data"]["result"]
        assert "command-api" in {one["stream"]["service_name"] for one in result}
        assert {one["stream"]["trace_id"] for one in result} == {_TRACE_ID}

    eventually_blocking(its_lines_are_there, 120)


def test_lines_of_servers_are_in_loki_and_those_of_the_observers_are_not(observed: Composed) -> None:
    def postgres_has_lines() -> None:
        answer = _answer(observed, "LOKI_PORT", "/loki/api/v1/label/service_name/values")
        labels = set(answer.get("data", []))  # absent while there is no line
        assert labels >= {"postgres", "command-api", "projector"}
        assert not {*_NEEDED, "unknown_service"} & labels

    eventually_blocking(postgres_has_lines, 120)
