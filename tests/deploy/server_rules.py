"""Policies about the servers that components bring: each one is what our processes expect of it."""

import re
from collections.abc import Iterator, Sequence

from deploy.kafka_rights import PROJECTOR, RELAY, REPLAY, kafka_rights
from tests.deploy.config_rules import CONNECTIONS_MAX
from tests.deploy.kustomization import Manifest, pod_template
from tests.deploy.mounted_secrets import secret_files
from tests.deploy.network_rules import selected
from tests.deploy.processes import default_of, roles_of
from tests.deploy.workload_rules import SERVERS, of_kind, pods

_DATABASES = {"event-store": "event store", "read-model": "read model"}
_USERS_OF_KAFKA = {
    "relay": RELAY,
    "projector": PROJECTOR,
    "verify": PROJECTOR,
    "operator": PROJECTOR,
    "replay": REPLAY,
}
_OWNER = "catalogue_migrate"
_REPLICAS, _IN_SYNC_MIN = 3, 2
_BYTES = {"Mi": 2**20, "Gi": 2**30, "mb": 2**20, "gb": 2**30}


def databases(objects: Sequence[Manifest]) -> Iterator[str]:
    """Three instances, TLS alone, the connections of README.md, the roles that our processes log in as."""
    for one in of_kind(objects, "Cluster"):
        name, spec = one["metadata"]["name"], one["spec"]
        if spec["instances"] < _REPLICAS or spec["affinity"].get("podAntiAffinityType") != "required":
            yield f"{name}: one lost machine may take it away"
        if spec["postgresql"]["parameters"]["max_connections"] != str(CONNECTIONS_MAX[_DATABASES[name]]):
            yield f"{name}: other max_connections than README.md says"
        if spec["postgresql"]["pg_hba"] != ["hostnossl all all all reject"]:
            yield f"{name}: lets clients in without TLS"
        initial = spec["bootstrap"]["initdb"]
        if (initial["database"], initial["owner"]) != (name.replace("-", "_"), _OWNER):
            yield f"{name}: another database or owner"
        made = {initial["owner"], *(role["name"] for role in spec["managed"]["roles"])}
        if made != roles_of(initial["database"]):
            yield f"{name}: roles {sorted(made ^ roles_of(initial['database']))}"
        if any(role.get("superuser") for role in spec["managed"]["roles"]) or spec["enableSuperuserAccess"]:
            yield f"{name}: has a superuser with a password"
        if name == "event-store" and spec["postgresql"].get("synchronous", {}).get("number", 0) < 1:
            yield f"{name}: an acknowledged command may be lost with its machine"


def backups(objects: Sequence[Manifest]) -> Iterator[str]:
    """Each cluster archives its log by the plugin, and is backed up at least each day."""
    stores = {one["metadata"]["name"] for one in of_kind(objects, "ObjectStore")}
    daily = {one["spec"]["cluster"]["name"]: one["spec"] for one in of_kind(objects, "ScheduledBackup")}
    for one in of_kind(objects, "Cluster"):
        name = one["metadata"]["name"]
        archivers = [
            plugin["parameters"]["barmanObjectName"]
            for plugin in one["spec"].get("plugins", [])
            if plugin.get("isWALArchiver")
        ]
        if len(archivers) != 1 or not set(archivers) <= stores or "backup" in one["spec"]:
            yield f"{name}: archives its log to {archivers}"
        if not re.fullmatch(
            r"\d+ \d+ \d+(,\d+)* \* \* \*", daily.get(name, {}).get("schedule", "")
        ):  # six fields
            yield f"{name}: no backup each day"
        elif daily[name].get("method") != "plugin":
            yield f"{name}: the backup is not the plugin's"


def poolers(objects: Sequence[Manifest]) -> Iterator[str]:
    """A pooler is as docs/postgresql.md has it, and leaves some connections."""
    room = {one["metadata"]["name"]: one["spec"] for one in of_kind(objects, "Cluster")}
    for one in of_kind(objects, "Pooler"):
        name, spec = one["metadata"]["name"], one["spec"]
        parameters = spec["pgbouncer"]["parameters"]
        if "ignore_startup_parameters" in parameters:
            yield f"{name}: serves a process that does not know of it"
        if spec["pgbouncer"]["poolMode"] != "transaction":
            yield f"{name}: pools something else than transactions"
        if int(parameters.get("max_prepared_statements", "0")) < 1:
            yield f"{name}: refuses prepared statements"
        limit = int(room[spec["cluster"]["name"]]["postgresql"]["parameters"]["max_connections"])
        if int(parameters["default_pool_size"]) * spec["instances"] > limit // 2:
            yield f"{name}: may take more than half of the connections"
        if not {"statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout"} <= (
            room[spec["cluster"]["name"]]["postgresql"]["parameters"].keys()
        ):
            yield f"{name}: behind it a statement has no limit"


def topics(objects: Sequence[Manifest]) -> Iterator[str]:
    """One copy may be lost, no topic makes itself, and no process has a right without a topic."""
    for one in of_kind(objects, "Kafka"):
        config = one["spec"]["kafka"]["config"]
        if config.get("auto.create.topics.enable") != "false":
            yield "a client's mistake creates a topic"
        if config.get("min.insync.replicas") != _IN_SYNC_MIN:
            yield "the loss of one broker loses records, or stops the relay"
    partitions = int(str(default_of("relay", "PARTITION_COUNT")))
    made = {one["spec"]["topicName"] for one in of_kind(objects, "KafkaTopic")}
    for one in of_kind(objects, "KafkaTopic"):
        spec = one["spec"]
        if (spec["partitions"], spec["replicas"]) != (partitions, _REPLICAS):
            yield f"{spec['topicName']}: {spec['partitions']} partitions, {spec['replicas']} replicas"
        if spec["config"].get("min.insync.replicas") != str(_IN_SYNC_MIN):
            yield f"{spec['topicName']}: min.insync.replicas"
    if of_kind(objects, "Kafka"):
        wanted = {right.name for right in kafka_rights() if right.resource == "TOPIC"}
        missing = {name for name in wanted if not name.endswith("*")} - made
        yield from (f"{name}: a right, and no topic" for name in sorted(missing))


def kafka_users(objects: Sequence[Manifest]) -> Iterator[str]:
    """Each process that has a user of Kafka has its password and the brokers' authority as files."""
    users = {one["metadata"]["name"] for one in of_kind(objects, "KafkaUser")}
    if not users:
        return
    config = {one["metadata"]["name"]: one["data"] for one in of_kind(objects, "ConfigMap")}
    for one in objects:
        template = pod_template(one)
        if template is None or one["metadata"]["name"] not in _USERS_OF_KAFKA:
            continue
        (container,) = template["spec"]["containers"]
        (source,) = (each["configMapRef"]["name"] for each in container["envFrom"])
        given = config[source] | {each["name"]: each.get("value") for each in container["env"]}
        user = given.get("KAFKA_SASL_USER")
        if user != _USERS_OF_KAFKA[one["metadata"]["name"]] or user not in users:
            yield f"{one['metadata']['name']}: logs in to Kafka as {user}"
        if given.get("KAFKA_SECURITY_PROTOCOL") != "SASL_SSL":
            yield f"{one['metadata']['name']}: asks Kafka without TLS"
        files = {(file.path, file.secret) for file in secret_files(template)}
        for variable in ("KAFKA_SASL_PASSWORD_FILE", "KAFKA_CA_FILE"):
            path = next((each["value"] for each in container["env"] if each["name"] == variable), None)
            if path not in {path for path, _ in files}:
                yield f"{one['metadata']['name']}: {variable} is {path}"
        if ("/run/secrets/kafka/password", user) not in files:
            yield f"{one['metadata']['name']}: the password of another user"


def lag_of_kafka(objects: Sequence[Manifest]) -> Iterator[str]:
    """An autoscaler that asks Strimzi's brokers does so by TLS, as a user that exists."""
    users = {one["metadata"]["name"] for one in of_kind(objects, "KafkaUser")}
    logins = {one["metadata"]["name"]: one["spec"] for one in of_kind(objects, "TriggerAuthentication")}
    for one in of_kind(objects, "ScaledObject") if users else ():
        for trigger in one["spec"]["triggers"]:
            given = trigger["metadata"]
            login = logins.get(trigger.get("authenticationRef", {}).get("name"))
            secrets = {} if login is None else {each["parameter"]: each for each in login["secretTargetRef"]}
            if not given["bootstrapServers"].endswith(".svc:9093") or (
                given.get("tls"),
                given.get("sasl"),
            ) != (
                "enable",
                "scram_sha512",
            ):
                yield f"{given['consumerGroup']}: not by TLS"
            if secrets.get("password", {}).get("name") not in users:
                yield f"{given['consumerGroup']}: as nobody"


def cache(objects: Sequence[Manifest]) -> Iterator[str]:
    """A full Redis forgets instead of refusing, fits into its container, and answers by TLS alone."""
    for one in objects:
        text = one.get("data", {}).get("redis.conf") if one["kind"] == "ConfigMap" else None
        if text is None:
            continue
        lines = [line.split(maxsplit=1) for line in text.splitlines() if line and not line.startswith("#")]
        settings = dict(lines)
        if settings.get("maxmemory-policy") != "allkeys-lfu" or settings.get("save") != '""':
            yield "redis: keeps what it should forget"
        (container,) = (
            container
            for deployment in of_kind(objects, "Deployment")
            for container in deployment["spec"]["template"]["spec"]["containers"]
            if container["name"] == "redis"
        )
        if _bytes(settings["maxmemory"]) > 0.75 * _bytes(container["resources"]["limits"]["memory"]):
            yield "redis: is killed before it is full"
        if (settings.get("port"), settings.get("tls-port")) != ("0", "6379") or "aclfile" not in settings:
            yield "redis: lets clients in without TLS or a password"


def _bytes(text: str) -> int:
    number, unit = re.fullmatch(r"(\d+)([A-Za-z]{2})", text).groups()  # type: ignore[union-attr]
    return int(number) * _BYTES[unit]


def server_pods(objects: Sequence[Manifest]) -> Iterator[str]:
    """Pods that are no process of ours: Pod Security "restricted", probes, memory that is asked for."""
    for one in [*of_kind(objects, "Deployment"), *of_kind(objects, "StatefulSet")]:
        name, spec = one["metadata"]["name"], one["spec"]["template"]["spec"]
        if name not in SERVERS:
            continue
        pod = spec.get("securityContext", {})
        if not (pod.get("runAsNonRoot") and pod.get("seccompProfile") == {"type": "RuntimeDefault"}):
            yield f"{name}: Pod Security refuses it"
        if spec.get("automountServiceAccountToken") is not False:
            yield f"{name}: mounts a token"
        for container in spec["containers"]:
            own = container.get("securityContext", {})
            if own.get("allowPrivilegeEscalation") is not False or own.get("capabilities") != {
                "drop": ["ALL"]
            }:
                yield f"{name}: Pod Security refuses it"
            limits, asked = container["resources"]["limits"], container["resources"]["requests"]
            if limits != {"memory": asked["memory"]} or "cpu" not in asked:
                yield f"{name}: requests {asked}, limits {limits}"
            if not {"startupProbe", "readinessProbe", "livenessProbe"} <= container.keys():
                yield f"{name}: lacks a probe"
            if container["image"].rpartition(":")[2] in ("latest", container["image"]):
                yield f"{name}: image {container['image']}"


def policies(objects: Sequence[Manifest]) -> Iterator[str]:
    """A component's NetworkPolicy chooses its own pods alone: one for a process would cut its other ways."""
    labels = [template["metadata"]["labels"] for _, template, _ in pods(objects)]
    for one in of_kind(objects, "NetworkPolicy"):
        selector = one["spec"]["podSelector"]
        if not selector or any(selected(selector, has) for has in labels):
            yield f"NetworkPolicy {one['metadata']['name']} chooses a process"
