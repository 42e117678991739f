"""The shared metrics have the names that dashboards use."""

import asyncio

import pytest
from prometheus_client import REGISTRY, generate_latest

from shared.ops import version
from shared.ops.event_loop_watch import watch_event_loop
from shared.ops.metrics import process, requests


@pytest.fixture(autouse=True)
def _fresh_version() -> None:
    version.service_version.cache_clear()
    version.service_revision.cache_clear()


def test_build_info_says_what_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SERVICE_REVISION", "abc123")
    process.build_info("relay", "1.2.3")
    labels = {"process": "relay", "version": "1.2.3", "revision": "abc123"}
    assert REGISTRY.get_sample_value("build_info", labels) == 1


def test_the_version_of_the_image_wins_over_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    assert version.service_version() not in ("", "0+unknown")
    version.service_version.cache_clear()
    monkeypatch.setenv("SERVICE_VERSION", "9.9.9")
    assert version.service_version() == "9.9.9"


@pytest.mark.parametrize(
    "name",
    [
        "build_info",
        "retries_total",
        "event_loop_lag_seconds",
        "http_server_request_duration_seconds",
        "log_lines_lost_total",
    ],
)
def test_the_name_is_exported(name: str) -> None:
    process.RETRIES.labels("test")
    requests.HTTP_REQUEST_DURATION_SECONDS.labels("GET", "/v1/products/{id}", "200")
    assert f"# TYPE {name}".removesuffix("_total").encode() in generate_latest(REGISTRY)


async def test_the_event_loop_watch_ends_with_the_process() -> None:
    stop = asyncio.Event()
    watch = asyncio.create_task(watch_event_loop(stop))
    stop.set()
    await watch
