"""The configuration of Prometheus for a local stack."""

from pathlib import Path

import yaml

from deploy.local.settings import DEFAULT_PORTS, PROCESSES
from deploy.prometheus.configuration import CONFIGURATION, FOLDER, configuration
from tests.observability.promtool import promtool


def _targets(text: str) -> dict[str, str]:
    return {
        job["job_name"]: target
        for job in yaml.safe_load(text)["scrape_configs"]
        for static in job["static_configs"]
        for target in static["targets"]
    }


def test_each_process_of_a_local_stack_is_scraped_at_its_operations_port() -> None:
    ports = {name: f"127.0.0.1:{DEFAULT_PORTS[kind.ops_port]}" for name, kind in PROCESSES.items()}
    assert _targets(CONFIGURATION.read_text()) == ports


def test_other_ports_and_the_rules_get_into_a_copy(tmp_path: Path) -> None:
    ports = {kind.ops_port: 40000 + number for number, kind in enumerate(PROCESSES.values())}
    text = configuration(ports)
    assert _targets(text) == {name: f"127.0.0.1:{ports[kind.ops_port]}" for name, kind in PROCESSES.items()}
    assert yaml.safe_load(text)["rule_files"] == [f"{FOLDER}/rules/*.yml"]
    copy = tmp_path / "prometheus.yml"
    copy.write_text(text)
    assert "rule files found" in promtool("check", "config", copy)
