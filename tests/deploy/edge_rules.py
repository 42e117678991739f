"""Policies about the way in: hosts and certificates agree, no redirects, only the APIs are reached."""

from collections.abc import Iterator, Sequence
from urllib.parse import urlsplit

from tests.deploy.kustomization import Manifest, find
from tests.deploy.workload_rules import of_kind

# Kinds without a namespace.
_OF_THE_CLUSTER = {"Namespace", "PriorityClass"}
_RETIRED = "nginx.ingress.kubernetes.io/"


def namespace(objects: Sequence[Manifest]) -> Iterator[str]:
    """Every object is in the namespace of the base: otherwise it would land in that of whoever applies it."""
    (own,) = of_kind(objects, "Namespace")
    for one in objects:
        if one["kind"] not in _OF_THE_CLUSTER and one["metadata"].get("namespace") != own["metadata"]["name"]:
            yield f"{one['kind']} {one['metadata']['name']} is in {one['metadata'].get('namespace')}"


def certificates(objects: Sequence[Manifest]) -> Iterator[str]:
    """Each host has TLS with the Secret of a Certificate for exactly this host, proved by no request."""
    for one in of_kind(objects, "Issuer"):
        if any("http01" in solver for solver in one["spec"].get("acme", {}).get("solvers", [])):
            yield f"{one['metadata']['name']}: port 80 and our namespace are closed to the proof by HTTP"
    names = {
        one["spec"]["secretName"]: one["spec"].get("dnsNames", []) for one in of_kind(objects, "Certificate")
    }
    for host, secret in _secrets_of_hosts(objects):
        if names.get(secret) != [host]:
            yield f"{host}: the certificate in {secret} is for {names.get(secret)}"


def _secrets_of_hosts(objects: Sequence[Manifest]) -> Iterator[tuple[str, str | None]]:
    for one in of_kind(objects, "Ingress"):
        secrets = {host: tls["secretName"] for tls in one["spec"].get("tls", []) for host in tls["hosts"]}
        yield from ((rule["host"], secrets.get(rule["host"])) for rule in one["spec"]["rules"])
    for one in of_kind(objects, "Gateway"):
        for listener in one["spec"]["listeners"]:
            (secret,) = listener.get("tls", {}).get("certificateRefs", [{"name": None}])
            yield listener["hostname"], secret["name"]


def read_url(objects: Sequence[Manifest]) -> Iterator[str]:
    """Clients are sent to the host that leads to the query API."""
    hosts = {
        rule["host"]
        for one in of_kind(objects, "Ingress")
        for rule in one["spec"]["rules"]
        if any(path["backend"]["service"]["name"] == "query-api" for path in rule["http"]["paths"])
    }
    hosts |= {host for one in of_kind(objects, "HTTPRoute") for host in one["spec"]["hostnames"]}
    for process in ("command-api", "projector"):
        address = urlsplit(_config(objects, process).get("READ_URL", ""))
        if hosts and (address.scheme, address.hostname) not in {("https", host) for host in hosts}:
            yield f"{process}: READ_URL is {address.geturl()}"


def no_plain_http(objects: Sequence[Manifest]) -> Iterator[str]:
    """Port 80 is refused: a redirect would hide a token that was sent in the clear."""
    for one in of_kind(objects, "Ingress"):
        name, annotations = one["metadata"]["name"], one["metadata"].get("annotations", {})
        if annotations.get("nginx.org/ssl-redirect") != "false":
            yield f"Ingress {name}: redirects"
        snippet = " ".join(annotations.get("nginx.org/server-snippets", "").split())
        if "if ($scheme = http) { return 403; }" not in snippet:
            yield f"Ingress {name}: answers without TLS"
        yield from (
            f"Ingress {name}: {key} is of the retired controller" for key in annotations if _RETIRED in key
        )
        if one["spec"].get("ingressClassName") != "nginx":
            yield f"Ingress {name}: of another class than its annotations"
    for one in of_kind(objects, "Gateway"):
        for listener in one["spec"]["listeners"]:
            if listener["protocol"] != "HTTPS":
                yield f"Gateway {one['metadata']['name']}: listens without TLS"
    if of_kind(objects, "Ingress") or of_kind(objects, "Gateway"):
        for process in ("command-api", "query-api"):
            if int(_config(objects, process).get("HSTS_SECONDS", "0")) < 31_536_000:
                yield f"{process}: no Strict-Transport-Security"


def only_the_apis(objects: Sequence[Manifest]) -> Iterator[str]:
    """What is reached from outside is the port `http` of an API; never the operations port."""
    for name, port in _backends(objects):
        ports = {one["name"]: one["port"] for one in find(objects, "Service", name)["spec"]["ports"]}
        if name not in ("command-api", "query-api") or port not in ("http", ports.get("http")):
            yield f"{name} {port} is reached from outside"
    for one in of_kind(objects, "Service"):
        if one["spec"].get("type", "ClusterIP") != "ClusterIP":
            yield f"Service {one['metadata']['name']} is reached from outside"


def _backends(objects: Sequence[Manifest]) -> Iterator[tuple[str, str | int]]:
    for one in of_kind(objects, "Ingress"):
        for rule in one["spec"]["rules"]:
            for path in rule["http"]["paths"]:
                service = path["backend"]["service"]
                yield service["name"], service["port"].get("name") or service["port"]["number"]
    for one in of_kind(objects, "HTTPRoute"):
        for rule in one["spec"]["rules"]:
            yield from ((backend["name"], backend["port"]) for backend in rule["backendRefs"])


def _config(objects: Sequence[Manifest], process: str) -> dict[str, str]:
    """The ConfigMap of a process, with or without the hash in its name."""
    for one in of_kind(objects, "ConfigMap"):
        if one["metadata"]["name"] == process or one["metadata"]["name"].rpartition("-")[0] == process:
            data: dict[str, str] = one["data"]
            return data
    raise LookupError(process)
