"""The parts of the profile `observe` find each other, and Prometheus finds the four processes."""

import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml

from deploy.grafana.boards import files
from deploy.prometheus.configuration import CONFIGURATION
from tests.deploy.compose_file import ROOT, observers
from tests.deploy.kustomization import Manifest
from tests.deploy.observer_rules import PORTS
from tests.deploy.processes import OPS_PORT_SETTINGS, SERVICES, default_of
from tests.observability.promtool import promtool


def _load(path: str) -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((ROOT / path).read_text())
    return loaded


OBSERVERS: Manifest = observers()["services"]
JAEGER, LOKI = _load("deploy/logs/jaeger.yaml"), _load("deploy/logs/loki.yaml")
COLLECTOR = _load("deploy/logs/collector.yaml")
IN_CONTAINERS = _load("deploy/prometheus/compose.yml")
DATASOURCES: dict[str, Any] = {
    name: _load(f"deploy/grafana/provisioning/datasources/{name}.yml")["datasources"][0]
    for name in ("prometheus", "jaeger", "loki")
}


def _target(service: str, path: str) -> str:
    """Where the service has the file or folder `path` of the repository."""
    (target,) = [
        mount.split(":")[1] for mount in OBSERVERS[service]["volumes"] if mount.split(":")[0] == f"./{path}"
    ]
    found: str = target
    return found


def test_each_process_is_scraped_at_the_operations_port_of_its_container() -> None:
    targets = {
        job["job_name"]: [target for static in job["static_configs"] for target in static["targets"]]
        for job in IN_CONTAINERS["scrape_configs"]
    }
    assert targets == {name: [f"{name}:{default_of(name, OPS_PORT_SETTINGS[name])}"] for name in SERVICES}


def test_all_else_is_as_for_a_local_stack() -> None:
    """The names of the jobs are part of the rules, and the boards know how often Prometheus asks."""
    local = yaml.safe_load(CONFIGURATION.read_text())
    assert {**local, "scrape_configs": []} == {**IN_CONTAINERS, "scrape_configs": []}
    assert DATASOURCES["prometheus"]["jsonData"]["timeInterval"] == local["global"]["scrape_interval"]


def test_prometheus_has_its_configuration_and_the_rules_beside_it() -> None:
    assert (
        f"--config.file={_target('prometheus', 'deploy/prometheus/compose.yml')}"
        in (OBSERVERS["prometheus"]["command"])
    )
    folder = Path(_target("prometheus", "deploy/prometheus/compose.yml")).parent
    assert [str(folder / rules) for rules in IN_CONTAINERS["rule_files"]] == [
        f"{_target('prometheus', 'deploy/prometheus/rules')}/*.yml"
    ]
    assert "rule files found" in promtool("check", "config", ROOT / "deploy" / "prometheus" / "compose.yml")


@pytest.mark.parametrize("service", ["jaeger", "loki", "collector"])
def test_each_reads_the_configuration_that_is_mounted(service: str) -> None:
    (argument,) = OBSERVERS[service]["command"]
    assert argument.split("=")[1] == _target(service, f"deploy/logs/{service}.yaml")


def test_the_collector_sends_to_where_jaeger_and_loki_listen() -> None:
    environment = OBSERVERS["collector"]["environment"]
    traces, logs = (
        urlsplit(re.sub(r"\$\{\w+:-(.*)\}", r"\1", environment[name]))
        for name in ("TRACES_ENDPOINT", "LOGS_ENDPOINT")
    )
    otlp = JAEGER["receivers"]["otlp"]["protocols"]["http"]["endpoint"]
    assert (traces.hostname, traces.path) == ("jaeger", "")
    assert otlp == f"0.0.0.0:{traces.port}"
    assert (logs.hostname, logs.port, logs.path) == ("loki", LOKI["server"]["http_listen_port"], "/otlp")


def test_the_documented_address_for_traces_is_that_of_the_collector() -> None:
    port = COLLECTOR["receivers"]["otlp"]["protocols"]["http"]["endpoint"].removeprefix("0.0.0.0:")
    command = (
        f"OTEL_EXPORTER_OTLP_ENDPOINT=http://collector:{port} docker compose --profile observe up --wait"
    )
    for page in ("docker-compose.yml", "docs/observability.md"):
        assert command in (ROOT / page).read_text(), page


def test_what_is_published_is_what_is_listened_to() -> None:
    assert JAEGER["extensions"]["jaeger_query"]["http"]["endpoint"] == f"0.0.0.0:{PORTS['jaeger'][1]}"
    assert LOKI["server"]["http_listen_port"] == PORTS["loki"][1]


def test_jaeger_is_asked_for_its_health_where_it_tells() -> None:
    http = JAEGER["extensions"]["healthcheckv2"]["http"]
    url = OBSERVERS["jaeger"]["healthcheck"]["test"][-1]
    assert url == f"http://127.0.0.1:{http['endpoint'].removeprefix('0.0.0.0:')}{http['status']['path']}"


def test_what_is_kept_has_an_end() -> None:
    assert JAEGER["extensions"]["jaeger_storage"]["backends"]["newest"]["memory"]["max_traces"] > 0
    assert LOKI["compactor"]["retention_enabled"]
    assert LOKI["limits_config"]["retention_period"].endswith("h")
    assert any("retention.size" in argument for argument in OBSERVERS["prometheus"]["command"])


def test_grafana_finds_each_source_where_it_listens() -> None:
    environment = OBSERVERS["grafana"]["environment"]
    for name, source in DATASOURCES.items():
        assert (source["uid"], source["type"]) == (name, name)
        assert source["url"] == f"${{{name.upper()}_URL}}"
        assert environment[f"{name.upper()}_URL"] == f"http://{name}:{PORTS[name][1]}"


def test_a_line_leads_to_its_trace_and_a_span_to_its_lines() -> None:
    (field,) = DATASOURCES["loki"]["jsonData"]["derivedFields"]
    assert (field["matcherType"], field["matcherRegex"]) == ("label", "trace_id")
    assert field["datasourceUid"] == DATASOURCES["jaeger"]["uid"]
    to_logs = DATASOURCES["jaeger"]["jsonData"]["tracesToLogsV2"]
    assert to_logs["datasourceUid"] == DATASOURCES["loki"]["uid"]
    assert '| trace_id="$${__trace.traceId}"' in to_logs["query"]


def test_grafana_has_the_boards_where_it_looks_and_the_kind_of_source_that_they_ask_for() -> None:
    (provider,) = _load("deploy/grafana/provisioning/dashboards/catalogue.yml")["providers"]
    assert provider["options"]["path"] == _target("grafana", "deploy/grafana/dashboards")
    kinds = {
        variable["query"]
        for text in files().values()
        for variable in json.loads(text)["templating"]["list"]
        if variable["type"] == "datasource"
    }
    assert kinds == {source["type"] for source in DATASOURCES.values() if source.get("isDefault")}
