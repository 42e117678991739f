"""Policies about NetworkPolicy objects, judged by what they allow, as a network plugin judges them."""

import ipaddress
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from tests.deploy.kustomization import Manifest, pod_template

NAMESPACE = "product-catalogue"
SERVER_PORTS = {"postgres": 5432, "redis": 6379, "kafka": 9092}
# What the pods of operators are called instead (components cloudnative-pg and strimzi).
_OTHER_SERVERS = (
    ("postgres", {"cnpg.io/cluster": "catalogue"}, 5432),
    ("postgres", {"cnpg.io/poolerName": "catalogue-rw"}, 5432),
    ("kafka", {"app.kubernetes.io/name": "kafka"}, 9093),
)
# The beginning of a setting's name tells which server its value leads to.
_SETTINGS = {
    "EVENT_STORE_": "postgres",
    "READ_MODEL_": "postgres",
    "REDIS_URL": "redis",
    "KAFKA_BOOTSTRAP_": "kafka",
}
_SEND_MAIL = ("projector", "operator")
_SEARCH = ("projector", "query-api", "verify", "operator")
_NEVER_OUTSIDE = ("10.0.0.1", "172.16.0.1", "192.168.0.1", "100.64.0.1", "169.254.169.254")


class Peer(NamedTuple):
    """The other end: a pod with labels in a namespace, or, with `address`, something that is no pod."""

    namespace: str = NAMESPACE
    labels: Mapping[str, str] = {}
    address: str = ""


class Pods(NamedTuple):
    """Pods that a workload makes."""

    name: str
    labels: Mapping[str, str]
    ports: Mapping[str, int]
    settings: frozenset[str]


DNS = Peer("kube-system", {"k8s-app": "kube-dns"})
GATEWAY = Pods(
    "gateway",
    {"gateway.networking.k8s.io/gateway-name": "catalogue"},
    {"https": 443, "metrics": 9113},
    frozenset(),
)
"""The pods that a controller makes for the Gateway."""
_GATEWAYS = (Peer("nginx-ingress"), Peer(labels=GATEWAY.labels))


def workloads(objects: Sequence[Manifest]) -> Iterator[Pods]:
    """What runs, with the names of its settings."""
    literals = {
        one["metadata"]["name"]: frozenset(one["data"]) for one in objects if one["kind"] == "ConfigMap"
    }
    for one in objects:
        template = pod_template(one)
        if template is None:
            continue
        (container,) = template["spec"]["containers"]
        named = {variable["name"] for variable in container.get("env", [])}
        for source in container.get("envFrom", []):
            named |= literals.get(source.get("configMapRef", {}).get("name"), frozenset())
        # What is cleared is not used, whatever the ConfigMap says.
        named -= {variable["name"] for variable in container.get("env", []) if variable.get("value") == ""}
        ports = {port["name"]: port["containerPort"] for port in container.get("ports", [])}
        labels = template["metadata"]["labels"]
        yield Pods(one["metadata"]["name"], labels, ports, frozenset(named))


def allows(
    objects: Sequence[Manifest], direction: str, pods: Pods, peer: Peer, port: int, protocol: str = "TCP"
) -> bool:
    """Whether a policy lets the pods talk to the peer (`egress`), or the peer to them (`ingress`)."""
    for spec in _selecting(objects, direction, pods.labels):
        for rule in spec.get(direction, []):
            ends = rule.get("to" if direction == "egress" else "from")
            if (not ends or any(_is(end, peer) for end in ends)) and _has_port(rule, port, protocol, pods):
                return True
    return False


def closed(objects: Sequence[Manifest]) -> Iterator[str]:
    """One policy closes both directions for every pod of the namespace."""
    for one in _policies(objects):
        spec = one["spec"]
        if spec == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}:
            return
    yield "no policy closes the whole namespace both ways"


def names(objects: Sequence[Manifest]) -> Iterator[str]:
    """Who talks to anybody can look up names, by UDP and by TCP."""
    for pods in workloads(objects):
        for protocol in ("UDP", "TCP"):
            if _is_ours(pods) and not allows(objects, "egress", pods, DNS, 53, protocol):
                yield f"{pods.name} cannot look up names by {protocol}"


def servers(objects: Sequence[Manifest]) -> Iterator[str]:
    """A process reaches the servers that its settings name, and no other; a server of a component none."""
    for pods in workloads(objects):
        named = {
            server
            for beginning, server in _SETTINGS.items()
            if any(setting.startswith(beginning) for setting in pods.settings)
        }
        usual = [(name, {"app.kubernetes.io/name": name}, port) for name, port in SERVER_PORTS.items()]
        for server, labels, port in (*usual, *_OTHER_SERVERS):
            peer = Peer(labels=labels)
            if (server in named) != allows(objects, "egress", pods, peer, port):
                yield f"{pods.name} {'cannot' if server in named else 'need not'} reach {server}"
        search = Peer(labels={"app.kubernetes.io/name": "opensearch"})
        if (pods.name in _SEARCH) != allows(objects, "egress", pods, search, 9200):
            yield f"{pods.name} and the search server"


def clients(objects: Sequence[Manifest]) -> Iterator[str]:
    """The gateway reaches the ports of APIs, the monitoring those for operations, nobody anything else."""
    others = [
        Peer("elsewhere"),
        Peer(NAMESPACE, {"app.kubernetes.io/name": "stranger"}),
        Peer(address="8.8.8.8"),
    ]
    for pods in workloads(objects):
        for name, port in pods.ports.items():
            for gateway in _GATEWAYS:
                if allows(objects, "ingress", pods, gateway, port) != (name == "http"):
                    yield f"{gateway} and the port {name} of {pods.name}"
            if allows(objects, "ingress", pods, Peer("monitoring"), port) != (name == "ops"):
                yield f"the monitoring and the port {name} of {pods.name}"
            yield from (
                f"{other} reaches the port {name} of {pods.name}"
                for other in others
                if allows(objects, "ingress", pods, other, port)
            )


def outside(objects: Sequence[Manifest]) -> Iterator[str]:
    """No process reaches private addresses, the metadata service of a cloud, or any port outside."""
    for pods in workloads(objects):
        for address in _NEVER_OUTSIDE:
            for port in (80, 443, 587, 6443):
                if allows(objects, "egress", pods, Peer(address=address), port):
                    yield f"{pods.name} reaches {address}:{port}"
        if allows(objects, "egress", pods, Peer(address="8.8.8.8"), 4444):
            yield f"{pods.name} reaches every port outside"
        if ("AUTH_ISSUER" in pods.settings) != allows(objects, "egress", pods, Peer(address="8.8.8.8"), 443):
            yield f"{pods.name} and the keys of the issuer"
        if (pods.name in _SEND_MAIL) != allows(objects, "egress", pods, Peer(address="8.8.8.8"), 587):
            yield f"{pods.name} and the mail server"


def meant(objects: Sequence[Manifest]) -> Iterator[str]:
    """Every policy selects pods that exist: a misspelt name would close what it was to open."""
    every = list(workloads(objects))
    for one in _policies(objects):
        selector = one["spec"]["podSelector"]
        if not any(selected(selector, pods.labels) for pods in every):
            yield f"{one['metadata']['name']} selects no pod"
        for wanted in selector.get("matchExpressions", []):
            have = {pods.labels.get(wanted["key"]) for pods in every}
            yield from (
                f"{one['metadata']['name']}: nothing is called {value}"
                for value in wanted["values"]
                if value not in have
            )


RULES = (closed, names, servers, clients, outside, meant)


def _policies(objects: Sequence[Manifest]) -> list[Manifest]:
    return [one for one in objects if one["kind"] == "NetworkPolicy"]


def _is_ours(pods: Pods) -> bool:
    return pods.labels.get("app.kubernetes.io/part-of") == "product-catalogue"


def _selecting(objects: Sequence[Manifest], direction: str, labels: Mapping[str, str]) -> Iterator[Manifest]:
    for one in _policies(objects):
        spec = one["spec"]
        if direction.capitalize() in spec["policyTypes"] and selected(spec["podSelector"], labels):
            yield spec


def selected(selector: Manifest, labels: Mapping[str, str]) -> bool:
    """Whether a selector of labels means pods with these. Raises `ValueError` for what is not known here."""
    if unknown := selector.keys() - {"matchLabels", "matchExpressions"}:
        raise ValueError(f"selectors of these rules have no {unknown}")
    for wanted in selector.get("matchExpressions", []):
        if wanted["operator"] not in ("In", "Exists"):
            raise ValueError(f"not known to these rules: {wanted}")
        if wanted["key"] not in labels or labels[wanted["key"]] not in wanted.get("values", labels.values()):
            return False
    return all(labels.get(key) == value for key, value in selector.get("matchLabels", {}).items())


def _is(end: Manifest, peer: Peer) -> bool:
    if "ipBlock" in end:
        if not peer.address:
            return False
        address = ipaddress.ip_address(peer.address)
        inside = [ipaddress.ip_network(block) for block in end["ipBlock"].get("except", [])]
        is_meant = address in ipaddress.ip_network(end["ipBlock"]["cidr"])
        return is_meant and not any(address in network for network in inside)
    if peer.address:
        return False
    if "namespaceSelector" not in end:
        return peer.namespace == NAMESPACE and selected(end["podSelector"], peer.labels)
    its_labels = {"kubernetes.io/metadata.name": peer.namespace}
    in_namespace = selected(end["namespaceSelector"], its_labels)
    return in_namespace and selected(end.get("podSelector", {}), peer.labels)


def _has_port(rule: Manifest, port: int, protocol: str, pods: Pods) -> bool:
    ports = rule.get("ports", [])
    if not ports:
        return True
    return any(
        each.get("protocol", "TCP") == protocol and pods.ports.get(each["port"], each["port"]) == port
        for each in ports
    )
