"""A running system exports what rules, boards and runbooks ask for, and a real Prometheus finds it.

`tests/observability/test_names.py` compares names with the code. Here they are compared with what is scraped.
"""

import json
import re
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
from prometheus_client.parser import text_string_to_metric_families

from deploy.local.ports import HOST, free_port
from deploy.local.prometheus import PrometheusServer
from deploy.local.settings import PROCESSES
from deploy.prometheus.configuration import configuration
from tests.end_to_end.catalogue import Catalogue, unique, variant
from tests.end_to_end.system import System
from tests.eventually import eventually
from tests.observability.promtool import program
from tests.observability.queries import Selector, selectors
from tests.observability.rule_files import RULE_FILES, exporters, rules
from tests.observability.written_queries import Written, board_queries, written_queries

pytestmark = pytest.mark.servers
_FOREIGN = {name for names in exporters().values() for name in names} | {"ALERTS"}
_RECORDED = {rule.record for rule in rules() if rule.record}
_OF_PROMETHEUS = {"job", "instance"}
# What a healthy system need not export, and why. Then no panel need show it.
_NEEDS = {
    "certificate_expiry_timestamp_seconds": "needs CERTIFICATE_FILES",
    "dead_letters_published_total": "needs a dead letter since the start",
    "retries_total": "needs a transient error since the start",
    "retry_records_total": "needs a mail that was put off since the start",
}
# Panels that are empty while all is well, for other reasons.
_EMPTY_PANELS = {
    "overview: Alerts that fire": "needs an alert that fires",
    "operations: Share of the log that is read": "needs a rebuild that runs",
    "pods: Failing checks": "needs a server that is away",
}
_Scraped = dict[str, list[dict[str, str]]]


async def _use(catalogue: Catalogue) -> None:
    """A little of everything that leaves traces in metrics."""
    for number in range(3):
        product = await catalogue.create(name=unique("Shirt"), variants=[variant(unique("S"))])
        path = f"/v1/products/{product['id']}"
        await catalogue.write("POST", f"{path}/publish", Idempotency_Key=unique("key"))
        await catalogue.write("PATCH", path, {"description": f"the {number}th"}, If_Match='"77"')
        await catalogue.product(product["id"])
        for _ in range(2):
            await catalogue.read_as_it_is(path)
    await catalogue.ids("limit=5")
    for path in ("/v1/categories", "/v1/products/nowhere", "/v1/status"):
        await catalogue.read_as_it_is(path)


@pytest_asyncio.fixture
async def used(system: System, catalogue: Catalogue) -> AsyncIterator[System]:
    await _use(catalogue)
    yield system


async def _scrape(system: System) -> _Scraped:
    series: _Scraped = defaultdict(list)
    async with httpx.AsyncClient(timeout=30) as client:
        for process in system.processes:
            answer = await client.get(f"http://{HOST}:{process.ops_port}/metrics")
            for family in text_string_to_metric_families(answer.text):
                for sample in family.samples:
                    series[sample.name].append(sample.labels)
    return series


def _missing(selector: Selector, scraped: _Scraped) -> Iterator[str]:
    if selector.metric in _FOREIGN | _RECORDED | _NEEDS.keys():
        return
    if selector.metric not in scraped:
        yield f"{selector.metric} is not scraped"
        return
    labels = {name for each in scraped[selector.metric] for name in each}
    yield from (
        f"{selector.metric} has no label {name}" for name in sorted(selector.labels - labels - _OF_PROMETHEUS)
    )
    bounds = {each.get("le") for each in scraped[selector.metric]}
    yield from (
        f"{selector.metric} has no bound {value}"
        for name, value in selector.values
        if name == "le" and value not in bounds
    )


async def test_a_running_system_exports_what_rules_boards_and_runbooks_ask_for(used: System) -> None:
    async def everything_is_there() -> None:
        scraped = await _scrape(used)
        missing = {
            (each.where, complaint)
            for each in written_queries()
            for selector in selectors(each.query)
            for complaint in _missing(selector, scraped)
        }
        assert missing == set()

    await eventually(everything_is_there)


@pytest.fixture
def prometheus(system: System, tmp_path: Path) -> Iterator[PrometheusServer]:
    """A real one, that scrapes the system every second."""
    program("prometheus")
    by_name = {process.name: process.ops_port for process in system.processes}
    ports = {kind.ops_port: by_name[name] for name, kind in PROCESSES.items()}
    server = PrometheusServer(
        tmp_path / "prometheus",
        free_port(),
        _impatient(configuration(ports), tmp_path),
        tmp_path / "prometheus.log",
    )
    server.start()
    yield server
    server.stop()


def _impatient(text: str, folder: Path) -> str:
    """The same configuration and rules, but everything is done every second."""
    for file in RULE_FILES:
        (folder / file.name).write_text(re.sub(r"interval: \w+", "interval: 1s", file.read_text()))
    every_second = re.sub(r"(_interval|_timeout): \w+", r"\1: 1s", text)
    return re.sub(r"- .*/rules/", f"- {folder}/", every_second)


async def _ask(prometheus: PrometheusServer, path: str, **parameters: str) -> Any:
    async with httpx.AsyncClient(timeout=30) as client:
        answer = await client.get(f"{prometheus.url}/api/v1/{path}", params=parameters)
    assert answer.status_code == 200, answer.text
    return json.loads(answer.text)["data"]


def _needs_more(query: str) -> bool:
    """An exporter, or a fault."""
    absent = _FOREIGN - {"up", "ALERTS"} | _NEEDS.keys()
    return any(selector.metric in absent for selector in selectors(query))


async def test_every_panel_shows_something_or_says_why_not(
    prometheus: PrometheusServer, system: System, catalogue: Catalogue
) -> None:
    panels: dict[str, list[Written]] = defaultdict(list)
    for each in board_queries():
        if not _needs_more(each.query):
            panels[each.where].append(each)

    async def every_panel_has_data() -> None:
        await _use(catalogue)
        empty = set()
        for where, queries in panels.items():
            found = [await _ask(prometheus, "query", query=each.query) for each in queries]
            if not any(each["result"] for each in found):
                empty.add(where)
        assert empty - _EMPTY_PANELS.keys() == set()

    await eventually(every_panel_has_data)


async def test_every_rule_can_be_evaluated_and_no_alert_fires_in_a_healthy_system(
    prometheus: PrometheusServer, used: System
) -> None:
    async def all_rules_are_evaluated() -> None:
        groups = (await _ask(prometheus, "rules"))["groups"]
        found = [rule for group in groups for rule in group["rules"]]
        assert len(found) == len(list(rules()))
        assert {rule["health"] for rule in found} == {"ok"}

    await eventually(all_rules_are_evaluated)
    alerts = (await _ask(prometheus, "alerts"))["alerts"]
    assert [alert["labels"] for alert in alerts if alert["state"] == "firing"] == []
