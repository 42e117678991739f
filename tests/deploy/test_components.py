"""Each component on the base against every policy, and every policy against a fault."""

import copy
from functools import cache

import pytest

from tests.deploy.component_faults import FAULTS
from tests.deploy.component_rules import RULES
from tests.deploy.components import COMPONENTS, TOGETHER, rendered_with
from tests.deploy.rules import Fault, Rule

OWN = [
    "cloudnative-pg", "external-secrets", "gateway-api", "ingress", "log-archive", "monitoring", "opensearch",
    "redis", "strimzi",
]  # fmt: skip
# Checked in test_network_policies.py and test_autoscaling.py, on the base in test_kubernetes.py.
ELSEWHERE = [
    "autoscaling-keda", "autoscaling-keda-strimzi", "autoscaling-prometheus", "network-policies"
]  # fmt: skip


_once = cache(rendered_with)
"""For rules, which change nothing."""


def test_every_component_is_checked_here_or_by_a_test_of_its_own() -> None:
    assert sorted([*OWN, *ELSEWHERE]) == COMPONENTS


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
@pytest.mark.parametrize("components", [*((name,) for name in OWN), *TOGETHER], ids="+".join)
def test_each_component_keeps_each_policy(components: tuple[str, ...], rule: Rule) -> None:
    assert list(rule(_once(*components))) == []


@pytest.mark.parametrize(
    ("components", "rule", "fault"),
    FAULTS,
    ids=[f"{rule.__name__}-{number}" for number, (_, rule, _) in enumerate(FAULTS)],
)
def test_each_policy_notices_a_fault(components: str, rule: Rule, fault: Fault) -> None:
    broken = copy.deepcopy(_once(*components.split("+")))
    fault(broken)
    assert any(rule(broken))


def test_every_policy_has_a_fault_that_it_notices() -> None:
    assert {rule for _, rule, _ in FAULTS} == set(RULES)
