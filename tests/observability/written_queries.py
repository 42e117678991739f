"""All queries that people wrote: in rules, boards and runbooks, each with the place where it stands."""

import json
from collections.abc import Iterator
from typing import NamedTuple

from tests.observability.rule_files import ROOT, rules
from tests.observability.runbook_pages import pages, queries

DASHBOARDS = ROOT / "deploy" / "grafana" / "dashboards"


class Written(NamedTuple):
    where: str
    query: str


def board_queries() -> Iterator[Written]:
    """With a fixed window in the place of Grafana's variable."""
    for file in sorted(DASHBOARDS.glob("*.json")):
        for panel in json.loads(file.read_text())["panels"]:
            for target in panel.get("targets", ()):
                yield Written(
                    f"{file.stem}: {panel['title']}", target["expr"].replace("$__rate_interval", "5m")
                )


def written_queries() -> Iterator[Written]:
    for rule in rules():
        yield Written(f"{rule.file.name}: {rule.alert or rule.record}", rule.expr)
    for page in pages():
        for query in queries(page):
            yield Written(page.name, query)
    yield from board_queries()
