"""Policies about the profile `search` of docker-compose.yml, read as YAML: no engine is needed."""

import re
from collections.abc import Iterator

import yaml

from deploy.local.settings import DEFAULT_PORTS
from tests.deploy import compose_rules
from tests.deploy.compose_file import ROOT
from tests.deploy.kustomization import Manifest

IMAGE, PORT = "OPENSEARCH_IMAGE", "OPENSEARCH_PORT"
_KUBERNETES = ROOT / "deploy/kustomize/components/opensearch/opensearch.yaml"


def one_server(compose: Manifest) -> Iterator[str]:
    """One node, of the version that Kubernetes gets; another image can be chosen."""
    if compose["services"].keys() != {"opensearch"}:
        yield f"services: {sorted(compose['services'])}"
    for name, service in compose["services"].items():
        kubernetes = next(
            one for one in yaml.safe_load_all(_KUBERNETES.read_text()) if one["kind"] == "StatefulSet"
        )
        image = kubernetes["spec"]["template"]["spec"]["containers"][0]["image"]
        if service["image"] != f"${{{IMAGE}:-{image}}}":
            yield f"{name}: image {service['image']}, in Kubernetes {image}"
        if service.get("environment", {}).get("discovery.type") != "single-node":
            yield f"{name}: waits for other nodes"


def closed(compose: Manifest) -> Iterator[str]:
    """It asks nobody who he is, so it is reached from this machine alone, and has no rights on it."""
    for name, service in compose["services"].items():
        ports = service.get("ports", [""])
        match = re.fullmatch(r"127\.0\.0\.1:\$\{" + PORT + r":-(\d+)\}:9200", *ports)
        if match is None or int(match[1]) in DEFAULT_PORTS.values():
            yield f"{name}: ports {ports}"
        if service.get("security_opt") != ["no-new-privileges:true"] or service.get("cap_drop") != ["ALL"]:
            yield f"{name}: has rights that it does not need"
        if service.keys() & {"privileged", "network_mode", "pid", "user", "cap_add"}:
            yield f"{name}: is privileged"


def lasting(compose: Manifest) -> Iterator[str]:
    """Comes back after a crash, with its data; says whether it is well; fits into its bounds."""
    yield from compose_rules.bounds(compose)
    yield from compose_rules.logs(compose)
    for name, service in compose["services"].items():
        if service.get("restart") != "unless-stopped" or "healthcheck" not in service:
            yield f"{name}: is not restarted, or does not say whether it is well"
        volumes = [mount.split(":")[0] for mount in service.get("volumes", [])]
        if not volumes or not {*volumes} <= compose["volumes"].keys():
            yield f"{name}: keeps its data in {volumes}"
        heap = re.search(r"-Xmx(\d+)m", service.get("environment", {}).get("OPENSEARCH_JAVA_OPTS", ""))
        if heap is None or 2 * int(heap[1]) > _mebibytes(str(service.get("mem_limit"))):
            yield f"{name}: its heap takes more than half of its memory"


def _mebibytes(limit: str) -> int:
    return int(limit[:-1]) * (1024 if limit.endswith("g") else 1) if limit[:-1].isdigit() else 0
