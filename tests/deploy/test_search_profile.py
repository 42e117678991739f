"""The profile `search` of docker-compose.yml against its policies, and every policy against a fault."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.deploy import search_rules
from tests.deploy.compose_file import search
from tests.deploy.kustomization import Manifest

Rule = Callable[[Manifest], Iterator[str]]
RULES: list[Rule] = [search_rules.one_server, search_rules.closed, search_rules.lasting]
FAULTS: list[tuple[Rule, Callable[[Any], object]]] = [
    (search_rules.one_server, lambda s: s.update(other=s["opensearch"])),
    (
        search_rules.one_server,
        lambda s: s["opensearch"].update(image="${OPENSEARCH_IMAGE:-opensearch:latest}"),
    ),
    (search_rules.one_server, lambda s: s["opensearch"]["environment"].pop("discovery.type")),
    (search_rules.closed, lambda s: s["opensearch"].update(ports=["${OPENSEARCH_PORT:-9200}:9200"])),
    (
        search_rules.closed,
        lambda s: s["opensearch"].update(ports=["127.0.0.1:${OPENSEARCH_PORT:-9100}:9200"]),
    ),
    (search_rules.closed, lambda s: s["opensearch"].pop("cap_drop")),
    (search_rules.closed, lambda s: s["opensearch"].update(user="root")),
    (search_rules.lasting, lambda s: s["opensearch"].pop("mem_limit")),
    (search_rules.lasting, lambda s: s["opensearch"].pop("pids_limit")),
    (search_rules.lasting, lambda s: s["opensearch"].pop("logging")),
    (search_rules.lasting, lambda s: s["opensearch"].pop("healthcheck")),
    (search_rules.lasting, lambda s: s["opensearch"].update(volumes=["search:/usr/share/opensearch/data"])),
    (search_rules.lasting, lambda s: s["opensearch"].update(mem_limit="768m")),
]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_the_profile_keeps_each_policy(rule: Rule) -> None:
    assert list(rule(search())) == []


@pytest.mark.parametrize(
    ("rule", "fault"), FAULTS, ids=[f"{rule.__name__}-{n}" for n, (rule, _) in enumerate(FAULTS)]
)
def test_each_policy_notices_a_fault(rule: Rule, fault: Callable[[Any], object]) -> None:
    compose = search()
    fault(compose["services"])
    assert any(rule(compose))


def test_every_policy_has_a_fault_that_it_notices() -> None:
    assert {rule for rule, _ in FAULTS} == set(RULES)
