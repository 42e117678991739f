"""Both ways of a command leave the same log lines, metrics and spans."""

import io
import json
from collections.abc import Iterator
from typing import Any

import pytest
import structlog
from prometheus_client import REGISTRY

from command_api.executing.ports import Append, StoreUnavailable
from shared.access.scopes import Scope
from shared.ops.logs import configure_logs
from shared.ops.settings import ProcessSettings
from tests.guards import bearer, guard
from tests.recorded_spans import SAMPLED, UNSAMPLED, RecordedSpans, recorded_spans
from tests.unit.command_http.two_ways import Sent, World, two_ways

JSON_TYPE = ("content-type", "application/json")
PRICE = b'{"amount":"7.50","currency":"EUR"}'
ONE, CHANGE = "/v1/products/{id}", "/v1/products/{id}/variants/{sku}/price"
TOKEN = ("authorization", bearer(Scope.PRODUCTS_WRITE, Scope.PRODUCTS_PUBLISH)["authorization"])
SENT = [
    Sent("PUT", CHANGE, [JSON_TYPE, TOKEN, ("x-request-id", "r-1")], PRICE),
    Sent("PUT", CHANGE, [JSON_TYPE, TOKEN, ("idempotency-key", "k")], b'{"amount":"8","currency":"EUR"}'),
    Sent("PUT", CHANGE, [JSON_TYPE, TOKEN], b"{}"),
    Sent("PATCH", ONE, [JSON_TYPE, TOKEN, ("if-match", '"9"')], b'{"name":"Another"}'),
    Sent("POST", "/v1/products/{ID}/publish", [TOKEN]),
    Sent("POST", "/v1/products/01920000-0000-7000-8000-000000000000/publish", [TOKEN]),
    Sent("DELETE", ONE, [TOKEN]),
]
# Of each line and span: what differs from one run to the next.
_OF_ITS_OWN = {
    "time",
    "duration_ms",
    "trace_id",
    "span_id",
    "request_id",
    "correlation_id",
    "product_id",
    "path",
}
_COUNTED = ("http_server_request_duration_seconds_count", "commands_total", "idempotency_keys_total")


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    stream = io.StringIO()
    configure_logs("command-api", ProcessSettings(_env_file=None), stream)  # type: ignore[call-arg]
    yield stream
    structlog.reset_defaults()


def lines_of(log: io.StringIO) -> list[dict[str, Any]]:
    """The lines so far, which are then forgotten: which fields each has, and the values that are the same."""
    lines = [json.loads(line) for line in log.getvalue().splitlines()]
    log.seek(0)
    log.truncate()
    return [
        {
            "has": sorted(line),
            **{name: line[name] for name in line if name not in _OF_ITS_OWN | {"exception"}},
        }
        for line in lines
        if line["event"] in ("request", "request failed")
    ]


def counts() -> dict[Any, float]:
    """Of the metrics that both ways count."""
    return {
        (sample.name, *sorted(sample.labels.items())): sample.value
        for metric in REGISTRY.collect()
        for sample in metric.samples
        if sample.name in _COUNTED
    }


async def recorded(world: World, log: io.StringIO, sent: list[Sent]) -> tuple[Any, Any, Any]:
    lines_of(log)
    before = counts()
    answers = await world.answers(sent, [TOKEN])
    added = {key: value - before.get(key, 0) for key, value in counts().items()}
    return answers, lines_of(log), {key: value for key, value in added.items() if value}


async def test_lines_and_counts_are_the_same(log: io.StringIO) -> None:
    async with two_ways(guard()) as worlds:
        for world in worlds:
            await world.create("S-token", [TOKEN])  # from then on its token is known
        expected = await recorded(worlds[0], log, SENT)
        assert await recorded(worlds[1], log, SENT) == expected
    _, lines, added = expected
    assert len(lines) == len(SENT) + 1
    assert {line["actor"] for line in lines} == {"editor-7"}
    assert sum(value for key, value in added.items() if key[0] == _COUNTED[0]) == len(SENT) + 1


@pytest.mark.parametrize("error", [StoreUnavailable("broken"), RuntimeError("broken")])
async def test_a_failure_has_the_same_lines_and_counts(log: io.StringIO, error: Exception) -> None:
    async def fail(_: Append) -> None:
        raise error

    found = []
    async with two_ways() as worlds:
        for world in worlds:
            await world.create("S-first", ())
            world.store.before_append = fail
            lines_of(log)
            before = counts()
            creation = Sent(
                "POST",
                "/v1/products",
                [JSON_TYPE],
                b'{"name":"A","variants":[{"sku":"A","price":%b}]}' % PRICE,
            )
            answer = await world.answer(creation)
            added = {
                key: value - before.get(key, 0)
                for key, value in counts().items()
                if value != before.get(key, 0)
            }
            found.append((answer, lines_of(log), added))
    assert found[0] == found[1]
    assert found[0][1]


def parts_of(spans: RecordedSpans) -> list[Any]:
    """Names, kinds, attributes and failures; whether each is the caller's child."""
    return [
        (
            span.name,
            span.kind,
            sorted(set(span.attributes or {}) - {"url.path"}),
            span.status.status_code,
            span.parent is not None and span.parent.span_id == int(SAMPLED.span_id, 16),
        )
        for span in spans.all
    ]


@pytest.mark.parametrize("trace", [SAMPLED.header, UNSAMPLED.header])
async def test_spans_are_the_same(trace: str) -> None:
    sent = [Sent(each.method, each.path, [*each.headers, ("traceparent", trace)], each.body) for each in SENT]
    found = []
    async with two_ways(guard()) as worlds:
        for world in worlds:
            await world.create("S-token", [TOKEN])
            with recorded_spans(ratio=0.0) as spans:
                await world.answers(sent, [TOKEN])
            found.append(parts_of(spans))
    assert found[0] == found[1]
    assert bool(found[0]) == (trace == SAMPLED.header)
