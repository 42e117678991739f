"""Policies about docker-compose.yml, read as YAML: no engine is needed."""

import re
from collections.abc import Iterator

from deploy.local.kafka_jars import COORDINATES
from deploy.local.settings import DEFAULT_PORTS
from shared.ops import ready
from tests.deploy.kustomization import Manifest
from tests.deploy.processes import (
    HTTP_PORT_SETTINGS,
    JOBS,
    OPS_PORT_SETTINGS,
    PROCESSES,
    SERVICES,
    complaints_about,
    default_of,
)  # fmt: skip

SERVER_IMAGES = {"postgres": "POSTGRES_IMAGE", "redis": "REDIS_IMAGE", "kafka": "KAFKA_IMAGE"}
_SERVER_PORTS = {
    ("postgres", "POSTGRES_PORT", 5432),
    ("redis", "REDIS_PORT", 6379),
    ("kafka", "KAFKA_PORT", 19092),
}
_MARGIN_SECONDS = 5
PIDS_MAX = 500
# Whose a line is. The collector reads these names.
_LABELS = "com.docker.compose.project,com.docker.compose.service"


def complete(compose: Manifest) -> Iterator[str]:
    """The processes, their jobs and three servers."""
    different = compose["services"].keys() ^ {*PROCESSES, *SERVER_IMAGES}
    if different:
        yield f"services: {sorted(different)}"


def environment(compose: Manifest) -> Iterator[str]:
    """Each variable is one that the process reads, each address is set, each role is the process's own."""
    for name in PROCESSES:
        yield from complaints_about(name, compose["services"][name].get("environment", {}))


def ports(compose: Manifest) -> Iterator[str]:
    """On this machine alone, moved by the variables of `make up`, leading to where the process listens."""
    wanted: set[tuple[str, str, object]] = {*_SERVER_PORTS}
    for settings in (HTTP_PORT_SETTINGS, OPS_PORT_SETTINGS):
        wanted |= {(name, variable, default_of(name, variable)) for name, variable in settings.items()}
    found: set[tuple[str, str, object]] = set()
    for name, service in compose["services"].items():
        for port in service.get("ports", []):
            match = re.fullmatch(r"127\.0\.0\.1:\$\{([A-Z_]+):-(\d+)\}:(\d+)", port)
            if match is None or int(match[2]) != DEFAULT_PORTS[match[1]]:
                yield f"{name}: port {port}"
            else:
                found.add((name, match[1], int(match[3])))
    if found != wanted:
        yield f"ports: {sorted(map(str, found ^ wanted))}"


def open_sides(service: Manifest) -> dict[str, bool]:
    """What a container could do that only the images of servers need; True: it is a fault."""
    return {
        "may write to its file system": service.get("read_only") is not True,
        "keeps capabilities": service.get("cap_drop") != ["ALL"],
        "has no /tmp": not any(mount.startswith("/tmp") for mount in service.get("tmpfs", [])),
    }


def security(compose: Manifest) -> Iterator[str]:
    """Ours own nothing of the machine; the servers' images need some capabilities to start."""
    for name, service in compose["services"].items():
        faults = {"may gain privileges": service.get("security_opt") != ["no-new-privileges:true"]}
        if name in PROCESSES:
            faults |= {**open_sides(service), "mounts something": "volumes" in service}
        faults["is privileged"] = bool(
            service.keys() & {"privileged", "network_mode", "pid", "user", "cap_add"}
        )
        yield from (f"{name}: {fault}" for fault, is_so in faults.items() if is_so)


def lifecycle(compose: Manifest) -> Iterator[str]:
    """Started in order, ready when it says so, restarted after a crash, never killed before its own limit."""
    services = compose["services"]
    for name in SERVICES:
        service = services[name]
        if service.get("restart") != "unless-stopped":
            yield f"{name}: is not restarted"
        grace = int(str(service.get("stop_grace_period", "10s")).removesuffix("s"))
        if grace < float(str(default_of(name, "SHUTDOWN_SECONDS_MAX"))) + _MARGIN_SECONDS:
            yield f"{name}: is killed after {grace} s"
        port = str(default_of(name, OPS_PORT_SETTINGS[name]))
        check = service.get("healthcheck", {}).get("test")
        if check != ["CMD", "python", "-S", "-m", ready.__name__, port]:
            yield f"{name}: its health check is {check}"
        jobs = {job for job in JOBS if job in service["depends_on"]}
        if not jobs:
            yield f"{name}: does not wait for its schema"
    for name, service in services.items():
        for needed, how in service.get("depends_on", {}).items():
            wanted = "service_completed_successfully" if needed in JOBS else "service_healthy"
            if how != {"condition": wanted}:
                yield f"{name}: does not wait until {needed} is there"
    for name in SERVER_IMAGES:
        if "healthcheck" not in services[name] or not services[name].get("volumes"):
            yield f"{name}: needs a health check and a volume"


def images(compose: Manifest) -> Iterator[str]:
    """Servers can be replaced and have a version; ours are built from the Dockerfile of their package."""
    services = compose["services"]
    for name, variable in SERVER_IMAGES.items():
        match = re.fullmatch(rf"\$\{{{variable}:-[a-z/]+:([0-9.]+)\}}", services[name]["image"])
        if match is None:
            yield f"{name}: image {services[name]['image']}"
        elif name == "kafka" and f":{match[1]}+" not in COORDINATES:
            yield f"kafka: {match[1]} is not what `make up` runs ({COORDINATES})"
    packages = {
        "relay": "command-api",
        "migrate-event-store": "command-api",
        "migrate-read-model": "projector",
    }
    for name in PROCESSES:
        package = packages.get(name, name)
        if services[name]["image"] != f"product-catalogue/{package}:${{IMAGE_TAG:-dev}}":
            yield f"{name}: image {services[name]['image']}"
    built = {name: service["build"] for name, service in services.items() if "build" in service}
    if built.keys() != set(PROCESSES) - packages.keys():
        yield f"each image is built once, by the service of its name: not by {sorted(built)}"
    for name, build in built.items():
        if build["dockerfile"] != f"Dockerfile.{name.removesuffix('-api')}":
            yield f"{name}: built from {build['dockerfile']}"


def bounds(compose: Manifest) -> Iterator[str]:
    """No container takes the machine's memory, or all of its process numbers."""
    for name, service in compose["services"].items():
        if not re.fullmatch(r"\d+[mg]", str(service.get("mem_limit"))):
            yield f"{name}: mem_limit is {service.get('mem_limit')}"
        if not 0 < int(service.get("pids_limit", 0)) <= PIDS_MAX:
            yield f"{name}: pids_limit is {service.get('pids_limit')}"


def logs(compose: Manifest) -> Iterator[str]:
    """In files of a bounded size, where a collector finds them, and finds whose they are."""
    for name, service in compose["services"].items():
        logging = service.get("logging", {})
        options = logging.get("options", {})
        if logging.get("driver") != "json-file" or options.get("labels") != _LABELS:
            yield f"{name}: its log is not found by the collector"
        if not {"max-size", "max-file"} <= options.keys():
            yield f"{name}: its log grows"
