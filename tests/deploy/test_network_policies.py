"""The network policies against every rule, and every rule against a fault."""

import copy
from collections.abc import Iterator, Sequence

import pytest

from tests.deploy import network_rules
from tests.deploy.kustomization import BASE, KUSTOMIZE, Manifest, find, render, render_with
from tests.deploy.rules import Fault, Rule


def _rendered() -> list[Manifest]:
    return render_with(BASE, "network-policies")


def _spec(objects: list[Manifest], name: str) -> Manifest:
    spec: Manifest = find(objects, "NetworkPolicy", name)["spec"]
    return spec


def _chosen(objects: list[Manifest], name: str) -> list[str]:
    values: list[str] = _spec(objects, name)["podSelector"]["matchExpressions"][0]["values"]
    return values


@pytest.mark.parametrize("rule", network_rules.RULES, ids=lambda rule: rule.__name__)
def test_the_component_keeps_each_rule(rule: Rule) -> None:
    assert list(rule(_rendered())) == []


FAULTS: list[tuple[Rule, Fault]] = [
    (network_rules.closed, lambda o: o.remove(find(o, "NetworkPolicy", "deny-all"))),
    (network_rules.closed, lambda o: _spec(o, "deny-all").update(policyTypes=["Ingress"])),
    (network_rules.closed, lambda o: _spec(o, "deny-all").update(egress=[{}])),
    (network_rules.names, lambda o: _spec(o, "to-dns")["egress"][0]["ports"].pop()),
    (network_rules.names, lambda o: _spec(o, "to-dns").update(podSelector={"matchLabels": {"a": "b"}})),
    (network_rules.servers, lambda o: _chosen(o, "to-kafka").remove("relay")),
    (network_rules.servers, lambda o: _chosen(o, "to-kafka").remove("replay")),
    (network_rules.servers, lambda o: _chosen(o, "to-redis").remove("operator")),
    (network_rules.servers, lambda o: _chosen(o, "to-kafka").append("command-api")),
    (network_rules.servers, lambda o: _spec(o, "to-postgres")["egress"][0]["ports"][0].update(port=5433)),
    (network_rules.servers, lambda o: _spec(o, "to-postgres")["egress"][0]["to"].pop()),
    (network_rules.servers, lambda o: _spec(o, "to-kafka")["egress"][0]["ports"].pop()),
    (network_rules.servers, lambda o: _spec(o, "to-redis")["egress"].append({})),
    (network_rules.clients, lambda o: _spec(o, "from-gateway")["ingress"][0].pop("from")),
    (network_rules.clients, lambda o: _spec(o, "from-gateway")["ingress"][0].pop("ports")),
    (network_rules.clients, lambda o: _chosen(o, "from-gateway").remove("query-api")),
    (
        network_rules.clients,
        lambda o: _spec(o, "from-monitoring")["ingress"][0]["from"].append({"podSelector": {}}),
    ),
    (network_rules.clients, lambda o: _chosen(o, "from-monitoring").remove("relay")),
    (network_rules.outside, lambda o: _spec(o, "to-issuer")["egress"][0]["to"][0]["ipBlock"].pop("except")),
    (network_rules.outside, lambda o: _spec(o, "to-issuer")["egress"][0].pop("ports")),
    (network_rules.outside, lambda o: _chosen(o, "to-issuer").remove("relay")),
    (network_rules.outside, lambda o: _chosen(o, "to-issuer").append("operator")),
    (network_rules.outside, lambda o: _chosen(o, "to-mail").remove("operator")),
    (network_rules.outside, lambda o: o.remove(find(o, "NetworkPolicy", "to-mail"))),
    (network_rules.meant, lambda o: _chosen(o, "to-collector").append("query_api")),
    (network_rules.meant, lambda o: _spec(o, "to-mail").update(podSelector={"matchLabels": {"a": "b"}})),
]


@pytest.mark.parametrize(("rule", "fault"), FAULTS, ids=[rule.__name__ for rule, _ in FAULTS])
def test_each_rule_finds_a_fault(rule: Rule, fault: Fault) -> None:
    objects = copy.deepcopy(_rendered())
    fault(objects)
    assert list(rule(objects))


def _gateway_reaches(objects: Sequence[Manifest]) -> Iterator[str]:
    """What the proxies of the Gateway reach, of all that they might try, and who reaches them."""
    gateway, asks = network_rules.GATEWAY, network_rules.allows
    targets = {
        f"{pods.name} {name}": (network_rules.Peer(labels=pods.labels), port)
        for pods in network_rules.workloads(objects)
        for name, port in pods.ports.items()
    }
    targets |= {
        "names": (network_rules.DNS, 53),
        "its controller": (network_rules.Peer("nginx-gateway"), 8443),
        "an address outside": (network_rules.Peer(address="8.8.8.8"), 443),
    }
    yield from (
        name for name, (peer, port) in targets.items() if asks(objects, "egress", gateway, peer, port)
    )
    for name, port in gateway.ports.items():
        if asks(objects, "ingress", gateway, network_rules.Peer(address="8.8.8.8"), port):
            yield f"clients: {name}"


def test_the_proxies_of_a_gateway_serve_everybody_and_reach_the_apis_alone() -> None:
    objects = render_with(BASE, "network-policies", "gateway-api")
    wanted = ["command-api http", "query-api http", "names", "its controller", "clients: https"]
    assert list(_gateway_reaches(objects)) == wanted
    assert list(_gateway_reaches(_rendered())) == []


def test_the_servers_of_components_reach_no_other_server() -> None:
    objects = render_with(BASE, "network-policies", "redis", "opensearch")
    assert list(network_rules.servers(objects)) == []


def test_the_servers_of_a_trial_are_open_to_those_who_need_them_and_to_nobody_else() -> None:
    objects = render(KUSTOMIZE / "trial")
    made = {pods.name: pods for pods in network_rules.workloads(objects)}
    for server, port in network_rules.SERVER_PORTS.items():
        for name, pods in made.items():
            peer = network_rules.Peer(labels=pods.labels)
            needs = network_rules.allows(
                objects, "egress", pods, network_rules.Peer(labels=made[server].labels), port
            )
            assert network_rules.allows(objects, "ingress", made[server], peer, port) == needs, (name, server)
