"""The rules and boards as data."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import yaml

ROOT = Path(__file__).parents[2]
PROMETHEUS = ROOT / "deploy" / "prometheus"
RULE_FILES = sorted((PROMETHEUS / "rules").glob("*.yml"))
RUNBOOKS = ROOT / "docs" / "runbooks"


class Rule(NamedTuple):
    """One rule, with the file that it stands in."""

    file: Path
    alert: str
    record: str
    expr: str
    labels: dict[str, str]
    annotations: dict[str, str]


def rules() -> Iterator[Rule]:
    for file in RULE_FILES:
        for group in yaml.safe_load(file.read_text())["groups"]:
            for rule in group["rules"]:
                yield Rule(
                    file,
                    rule.get("alert", ""),
                    rule.get("record", ""),
                    rule["expr"],
                    rule.get("labels", {}),
                    rule.get("annotations", {}),
                )


def alerts() -> list[Rule]:
    return [rule for rule in rules() if rule.alert]


def objectives() -> list[str]:
    """The names of the service level objectives: those that have a budget."""
    return [rule.labels["slo"] for rule in rules() if rule.record == "slo:budget:ratio"]


def exporters() -> dict[str, list[str]]:
    """Which program exports the metrics that our processes do not."""
    read: dict[str, list[str]] = yaml.safe_load((PROMETHEUS / "exporters.yml").read_text())
    return read


def pages_of(alert: Rule) -> list[Any]:
    """The runbook pages that an alert may lead to; the one of an objective depends on its label."""
    name = alert.annotations["runbook_url"].rpartition("/")[2]
    each = [name.replace("{{ $labels.slo }}", slo) for slo in objectives()]
    return [RUNBOOKS / page for page in (each if "$labels.slo" in name else [name])]
