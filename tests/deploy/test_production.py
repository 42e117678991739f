"""The overlay for production keeps every policy of the base and of its components, all together."""

import copy
from functools import cache

import pytest

from tests.deploy import (
    capacity_rules,
    config_rules,
    job_rules,
    manifest_faults,
    network_rules,
    secret_rules,
    server_rules,
    workload_rules,
)
from tests.deploy.component_faults import FAULTS
from tests.deploy.component_rules import RULES
from tests.deploy.components import COMPONENTS
from tests.deploy.kustomization import KUSTOMIZE, Manifest, find, render
from tests.deploy.rules import Fault, Rule
from tests.deploy.workload_rules import of_kind

PRODUCTION = KUSTOMIZE / "overlays" / "production"
# The namespace holds more kinds than the base; the rules of the components look at those.
OF_OUR_PODS: list[Rule] = [
    workload_rules.selectors,
    workload_rules.ports,
    workload_rules.scale,
    job_rules.schedules,
    job_rules.migrations,
    job_rules.on_demand,
    job_rules.room_for_a_rebuild,
    workload_rules.resources,
    workload_rules.security,
    workload_rules.images,
    workload_rules.grace,
    capacity_rules.priorities,
    capacity_rules.quota,
    capacity_rules.release,
    config_rules.environment,
    config_rules.connections,
    config_rules.no_secrets,
]
# The policies of `network-policies` do choose processes; operators make Secrets, too (see below); KEDA is
# not used.
NOT_ASKED = (server_rules.policies, secret_rules.external_secrets, server_rules.lag_of_kafka)
OF_COMPONENTS = [rule for rule in RULES if rule not in NOT_ASKED]
# One of two ways in, one of two autoscalers, nothing searches yet, and most logs keep all partitions.
NOT_USED = {"gateway-api", "autoscaling-keda", "autoscaling-keda-strimzi", "log-archive", "opensearch"}


@cache
def _once() -> list[Manifest]:
    return render(PRODUCTION)


def production() -> list[Manifest]:
    """All objects, new ones at each call."""
    return copy.deepcopy(_once())


def ours(objects: list[Manifest]) -> list[Manifest]:
    """Without the cache, which is no process of ours."""
    return [one for one in objects if one["metadata"]["name"] != "redis"]


@pytest.mark.parametrize("rule", OF_OUR_PODS, ids=lambda rule: rule.__name__)
def test_production_keeps_each_policy_of_the_base(rule: Rule) -> None:
    assert list(rule(ours(_once()))) == []


@pytest.mark.parametrize("rule", OF_COMPONENTS, ids=lambda rule: rule.__name__)
def test_production_keeps_each_policy_of_its_components(rule: Rule) -> None:
    assert list(rule(_once())) == []


ITS_FAULTS = [
    *((rule, fault) for rule, fault in manifest_faults.FAULTS if rule in OF_OUR_PODS),
    *(
        (rule, fault)
        for components, rule, fault in FAULTS
        if rule in OF_COMPONENTS and not {*components.split("+")} & NOT_USED
    ),
]


@pytest.mark.parametrize(
    ("rule", "fault"), ITS_FAULTS, ids=[f"{rule.__name__}-{n}" for n, (rule, _) in enumerate(ITS_FAULTS)]
)
def test_each_fault_of_the_base_and_of_its_components_is_noticed_in_production(
    rule: Rule, fault: Fault
) -> None:
    broken = production()
    fault(broken)
    assert any(rule(ours(broken) if rule in OF_OUR_PODS else broken))


def test_each_policy_of_production_has_a_fault_that_it_notices() -> None:
    assert {rule for rule, _ in ITS_FAULTS} == {*OF_OUR_PODS, *OF_COMPONENTS}


# Each with a policy without which it must complain. (`meant` would miss the pods that operators make.)
NETWORK = {
    network_rules.closed: "deny-all",
    network_rules.names: "to-dns",
    network_rules.servers: "to-kafka",
    network_rules.clients: "from-monitoring",
    network_rules.outside: "to-issuer",
}


@pytest.mark.parametrize(("rule", "policy"), NETWORK.items(), ids=NETWORK.values())
def test_in_production_each_pod_reaches_what_it_needs_and_nothing_else(rule: Rule, policy: str) -> None:
    assert list(rule(_once())) == []
    broken = production()
    broken.remove(find(broken, "NetworkPolicy", policy))
    assert any(rule(broken))


def test_each_secret_of_production_comes_from_the_store_or_from_an_operator() -> None:
    objects = production()
    made = {f"{one['metadata']['name']}-ca" for one in of_kind(objects, "Cluster")}
    made |= {one["spec"]["secretName"] for one in of_kind(objects, "Certificate")}
    made |= {one["metadata"]["name"] for one in of_kind(objects, "KafkaUser")}
    made |= {f"{one['metadata']['name']}-cluster-ca-cert" for one in of_kind(objects, "Kafka")}
    missing = [
        complaint
        for complaint in secret_rules.external_secrets(objects)
        if complaint.partition(":")[0] not in made
    ]
    assert missing == []
    assert any(of_kind(objects, "ExternalSecret"))


def test_production_has_every_component_that_fits_together_in_their_order() -> None:
    text = (PRODUCTION / "kustomization.yaml").read_text()
    used = [line.rpartition("/")[2] for line in text.splitlines() if line.startswith("  - ../../components/")]
    assert {*used} == {*COMPONENTS, "release"} - NOT_USED
    assert (used[0], used[-1]) == ("network-policies", "release")


def test_production_has_nothing_that_is_for_development() -> None:
    found = [text for text in texts(production()) if "development" in text or "127.0.0.1" in text]
    assert found == []


def texts(value: object) -> list[str]:
    """Every string in a value, at any depth."""
    match value:
        case dict():
            return [text for inner in value.values() for text in texts(inner)]
        case list():
            return [text for inner in value for text in texts(inner)]
        case str():
            return [value]
        case _:
            return []
