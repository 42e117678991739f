"""Policies about the profile `observe` of docker-compose.yml, read as YAML: no engine is needed."""

import re
from collections.abc import Iterator

from deploy.local.settings import DEFAULT_PORTS
from tests.deploy import compose_rules
from tests.deploy.compose_file import ROOT
from tests.deploy.compose_rules import open_sides
from tests.deploy.kustomization import Manifest

# The port inside the container, and on this machine if nobody moves it.
PORTS = {
    "prometheus": ("PROMETHEUS_PORT", 9090),
    "jaeger": ("JAEGER_PORT", 16686),
    "loki": ("LOKI_PORT", 3100),
    "grafana": ("GRAFANA_PORT", 3000),
}
OBSERVERS = {*PORTS, "collector"}
# Log files belong to root. Reading them is the only right that it gets back.
_COLLECTORS_RIGHTS = {"user": "0", "cap_add": ["DAC_READ_SEARCH"]}
_LOG_FILE_MIB_MAX = 10


def complete(compose: Manifest) -> Iterator[str]:
    """These five, in this profile."""
    different = compose["services"].keys() ^ OBSERVERS
    if different:
        yield f"services: {sorted(different)}"
    for name, service in compose["services"].items():
        if service["profiles"] != ["observe"]:
            yield f"{name}: profiles {service['profiles']}"


def images(compose: Manifest) -> Iterator[str]:
    """Each can be replaced, and has a whole version: what these programs read changes with small ones."""
    for name, service in compose["services"].items():
        if not re.fullmatch(rf"\$\{{{name.upper()}_IMAGE:-[a-z/-]+:v?\d+\.\d+\.\d+\}}", service["image"]):
            yield f"{name}: image {service['image']}"


def ports(compose: Manifest) -> Iterator[str]:
    """On this machine alone; none is the port of another server or process."""
    for name, service in compose["services"].items():
        variable, port = PORTS.get(name, ("", 0))
        wanted = [f"127.0.0.1:${{{variable}:-{port}}}:{port}"] if variable else []
        if service.get("ports", []) != wanted:
            yield f"{name}: ports {service.get('ports')}"
        if any(port == taken for other, taken in DEFAULT_PORTS.items() if other != variable):
            yield f"{name}: port {port} is taken"


def security(compose: Manifest) -> Iterator[str]:
    """It writes to its volume alone, and cannot change anything of the repository or of the machine."""
    for name, service in compose["services"].items():
        rights = {key: service[key] for key in ("user", "cap_add", "privileged", "pid") if key in service}
        mounts = [mount for mount in service.get("volumes", []) if mount.startswith((".", "/", "$"))]
        faults = {
            "may gain privileges": service.get("security_opt") != ["no-new-privileges:true"],
            **open_sides(service),
            "has rights that it does not need": rights != (_COLLECTORS_RIGHTS if name == "collector" else {}),
            "may write to what it mounts": not all(mount.endswith(":ro") for mount in mounts),
            "is on the network of the machine": "network_mode" in service,
        }
        yield from (f"{name}: {fault}" for fault, is_so in faults.items() if is_so)


def bounds(compose: Manifest) -> Iterator[str]:
    """Memory, processes and log files have a limit: what watches the system must not be what breaks it."""
    yield from compose_rules.bounds(compose)
    for name, service in compose["services"].items():
        options = service.get("logging", {}).get("options", {})
        if options.get("max-size") != f"{_LOG_FILE_MIB_MAX}m" or "max-file" not in options:
            yield f"{name}: its log grows"
        # A failed delivery is a line, which would be delivered, and fail.
        if "labels" in options:
            yield f"{name}: its own lines are shipped"


def lifecycle(compose: Manifest) -> Iterator[str]:
    """Comes back after a crash; says whether it is well; waits only for others of the profile."""
    for name, service in compose["services"].items():
        if service.get("restart") != "unless-stopped":
            yield f"{name}: is not restarted"
        if ("healthcheck" in service) == (name == "collector"):
            yield f"{name}: has no health check, or one that its image cannot run"
        for needed, how in service.get("depends_on", {}).items():
            if how != {"condition": "service_healthy"} or needed not in OBSERVERS:
                yield f"{name}: depends on {needed}"


def mounts(compose: Manifest) -> Iterator[str]:
    """What is mounted exists: the engine would make an empty folder in its place, and say nothing."""
    for name, service in compose["services"].items():
        for mount in service.get("volumes", []):
            source = mount.split(":")[0]
            if source.startswith("./") and not (ROOT / source).exists():
                yield f"{name}: {source} does not exist"
            elif re.fullmatch(r"[a-z]+", source) and source not in compose["volumes"]:
                yield f"{name}: the volume {source} is not declared"
