"""Policies about configuration: every name means something, secrets are only named, connections suffice."""

import base64
from collections.abc import Iterator, Mapping, Sequence

from command_api.relay.app import _POOL_CONNECTIONS_MAX as RELAY_POOL
from command_api.webhooks.parts import READ_MODEL_CONNECTIONS_MAX as WEBHOOKS_POOL
from projector.app import POOL_CONNECTIONS_MAX as VIEWS_POOL
from projector.operators.command_line.session import _CONNECTIONS_MAX as COMMAND_POOL
from projector.rebuild.worker import _CONNECTIONS_MAX as WORKER_POOL
from projector.rebuild.workers import DEFAULT_WORKERS_MAX
from projector.stores import LOG_CONNECTIONS_MAX as LOG_POOL
from tests.deploy.kustomization import Manifest
from tests.deploy.mounted_secrets import secret_files
from tests.deploy.processes import (
    ON_DEMAND,
    SCHEDULED,
    SERVICES,
    complaints_about,
    default_of,
    known_variables,
)
from tests.deploy.scales import scales
from tests.deploy.workload_rules import SECRETS, of_kind, pods

# As deploy/kustomize/README.md expects of the two databases.
CONNECTIONS_MAX, CONNECTIONS_RESERVED = {"event store": 200, "read model": 340}, 20


def environment(objects: Sequence[Manifest]) -> Iterator[str]:
    """Each variable is one that the process reads, and each address is set."""
    for name, values in environments(objects).items():
        yield from complaints_about(name, values)
    for one in of_kind(objects, "ConfigMap"):
        yield from (
            f"ConfigMap {one['metadata']['name']}: {key} belongs in a Secret"
            for key in one["data"]
            if key.endswith(("_DSN", "_KEY", "_PASSWORD"))
        )


def environments(objects: Sequence[Manifest]) -> dict[str, dict[str, str]]:
    """What each workload's container gets; values of Secrets that are not in the render are empty."""
    data = {(one["kind"], one["metadata"]["name"]): one["data"] for one in objects if "data" in one}
    found: dict[str, dict[str, str]] = {}
    for name, template, container in pods(objects):
        values = found[name] = {}
        for source in container.get("envFrom", []):
            values.update(
                data.get(("ConfigMap", source["configMapRef"]["name"]), {"(no such ConfigMap)": ""})
            )
        files = {file.path: file for file in secret_files(template)}
        of_container = container.get("env", [])
        # What is cleared is not used, whatever the ConfigMap says.
        for variable in of_container:
            values.pop(variable["name"], None)
        for variable in [*of_container, *_named_files(values)]:
            if "valueFrom" in variable:
                values[variable["name"]] = variable["valueFrom"]["fieldRef"]["fieldPath"]
                continue
            if not variable["value"].startswith("/run/"):
                values[variable["name"]] = variable["value"]
                continue
            setting, file = variable["name"].removesuffix("_FILE"), files.get(variable["value"])
            if file is None:
                values[f"(no file {variable['value']})"] = ""
            elif setting in known_variables(name):
                text = data.get(("Secret", file.secret), {}).get(file.key, "")
                values[setting] = base64.b64decode(text).decode()
            else:  # a certificate: the setting itself is a path
                values[variable["name"]] = file.path
    return found


def _named_files(values: dict[str, str]) -> list[Manifest]:
    """Taken out of a ConfigMap's values, in the form of a container's variables."""
    named = [name for name, value in values.items() if name.endswith("_FILE") and value.startswith(SECRETS)]
    return [{"name": name, "value": values.pop(name)} for name in named]


def no_secrets(objects: Sequence[Manifest]) -> Iterator[str]:
    """The base names secrets and makes none."""
    yield from (f"Secret {one['metadata']['name']} is in the base" for one in of_kind(objects, "Secret"))


def secrets_exist(objects: Sequence[Manifest]) -> Iterator[str]:
    """Of an overlay that makes them: every reference leads to a key, and every Secret is used."""
    keys = {(one["metadata"]["name"], key) for one in of_kind(objects, "Secret") for key in one["data"]}
    used = set()
    for name, template, _ in pods(objects):
        for file in secret_files(template):
            used.add((file.secret, file.key))
            if (file.secret, file.key) not in keys and not file.is_optional:
                yield f"{name}: {file.key} comes from no Secret"
    yield from (f"Secret {secret}: {key} is used by nobody" for secret, key in keys - used)


def connections(objects: Sequence[Manifest]) -> Iterator[str]:
    """At full scale neither database runs out of connections: with an extra pod of every roll-out, the
    nightly verification, a rebuild and a replay.
    """
    every = scales(objects)
    surge = {
        one["metadata"]["name"]: one["spec"]["strategy"]["rollingUpdate"]["maxSurge"]
        for one in of_kind(objects, "Deployment")
    }
    given = environments(objects)
    for database in ("event store", "read model"):
        total = sum(
            (every[name].most + surge[name]) * connections_of_a_pod(name, given[name])[database]
            for name in SERVICES
        ) + sum(connections_of_a_pod(name, given[name])[database] for name in (*SCHEDULED, *ON_DEMAND))
        if total > CONNECTIONS_MAX[database] - CONNECTIONS_RESERVED:
            yield f"{database}: {total} connections"


def connections_of_a_pod(process: str, given: Mapping[str, str]) -> Mapping[str, int]:
    """As the composition roots open them; the extra ones are single connections outside the pools."""

    def setting(name: str) -> int:
        return int(given.get(name) or str(default_of(process, name)))

    match process:
        case "command-api":  # writer, hint, a second writer after a loss, a look at a slow call; webhooks
            return {"event store": setting("READ_CONNECTIONS_MAX") + 4, "read model": WEBHOOKS_POOL}
        case "relay":  # the lock with the tail, and the listener
            return {"event store": RELAY_POOL + 2, "read model": 0}
        case "projector":
            return {"event store": LOG_POOL, "read model": VIEWS_POOL}
        case "verify":
            return {"event store": LOG_POOL, "read model": COMMAND_POOL}
        case "operator":  # a rebuild: its lock, and its workers
            return {
                "event store": LOG_POOL + DEFAULT_WORKERS_MAX * LOG_POOL,
                "read model": COMMAND_POOL + 1 + DEFAULT_WORKERS_MAX * WORKER_POOL,
            }
        case "replay":
            return {"event store": 1, "read model": 0}
        case (
            _
        ):  # the past, single products, lists, reports, each with one for checkpoints or readiness; exports
            return {
                "event store": setting("HISTORY_READS_MAX") + 1,
                "read model": 2 * (setting("TABLE_READS_MAX") + 1)
                + setting("REPORT_READS_MAX")
                + 1
                + setting("EXPORTS_MAX"),
            }
