"""A fault for each policy of components: of which ones, what is changed, and which policy must notice it."""

from tests.deploy import (
    edge_rules,
    monitoring_rules,
    operator_faults,
    secret_rules,
    server_rules,
    workload_rules,
)
from tests.deploy.components import SCALED
from tests.deploy.kustomization import Manifest, find
from tests.deploy.rules import Fault, Rule


def _spec(objects: list[Manifest], kind: str, name: str) -> Manifest:
    spec: Manifest = find(objects, kind, name)["spec"]
    return spec


def _cluster(objects: list[Manifest], name: str) -> Manifest:
    return _spec(objects, "Cluster", name)


def _annotations(objects: list[Manifest], name: str) -> Manifest:
    annotations: Manifest = find(objects, "Ingress", name)["metadata"]["annotations"]
    return annotations


def _without(objects: list[Manifest], kind: str, name: str) -> None:
    objects.remove(find(objects, kind, name))


def _renaming(objects: list[Manifest]) -> Manifest:
    (endpoint,) = _spec(objects, "PodMonitor", "postgresql")["podMetricsEndpoints"]
    rule: Manifest = endpoint["metricRelabelings"][1]
    return rule


def _parameters(objects: list[Manifest], name: str) -> Manifest:
    parameters: Manifest = _spec(objects, "Pooler", name)["pgbouncer"]["parameters"]
    return parameters


def _config(objects: list[Manifest], key: str) -> Manifest:
    return next(one["data"] for one in objects if one["kind"] == "ConfigMap" and key in one.get("data", {}))


def _of_a_job(objects: list[Manifest], name: str) -> Manifest:
    job: Manifest = _spec(objects, "CronJob", name)["jobTemplate"]["spec"]
    container: Manifest = job["template"]["spec"]["containers"][0]
    return container


def _mount(objects: list[Manifest], process: str, name: str) -> Manifest:
    mounts = _container(objects, "Deployment", process)["volumeMounts"]
    return next(one for one in mounts if one["name"] == name)


def _container(objects: list[Manifest], kind: str, name: str) -> Manifest:
    container: Manifest = _spec(objects, kind, name)["template"]["spec"]["containers"][0]
    return container


FAULTS: list[tuple[str, Rule, Fault]] = [
    (
        "+".join(SCALED),
        server_rules.lag_of_kafka,
        lambda o: _spec(o, "ScaledObject", "projector")["triggers"][6].pop("authenticationRef"),
    ),
    (
        "+".join(SCALED),
        server_rules.lag_of_kafka,
        lambda o: _spec(o, "ScaledObject", "projector")["triggers"][0]["metadata"].pop("tls"),
    ),
    ("ingress", workload_rules.schema, lambda o: _spec(o, "Ingress", "read").update(ingressClass="nginx")),
    ("ingress", edge_rules.namespace, lambda o: find(o, "Ingress", "read")["metadata"].pop("namespace")),
    ("ingress", edge_rules.certificates, lambda o: _spec(o, "Ingress", "read")["tls"].clear()),
    (
        "gateway-api",
        edge_rules.certificates,
        lambda o: _spec(o, "Certificate", "catalogue").update(dnsNames=["a.example"]),
    ),
    (
        "redis",
        edge_rules.certificates,
        lambda o: _spec(o, "Issuer", "redis-ca").update(acme={"solvers": [{"http01": {}}]}),
    ),
    (
        "ingress",
        edge_rules.read_url,
        lambda o: _config(o, "READ_URL").update(READ_URL="https://write.catalogue.example"),
    ),
    ("gateway-api", edge_rules.read_url, lambda o: _config(o, "READ_URL").update(READ_URL="http://x.test")),
    ("ingress", edge_rules.no_plain_http, lambda o: _annotations(o, "write").pop("nginx.org/ssl-redirect")),
    ("ingress", edge_rules.no_plain_http, lambda o: _annotations(o, "read").pop("nginx.org/server-snippets")),
    (
        "ingress",
        edge_rules.no_plain_http,
        lambda o: _annotations(o, "read").update({"nginx.ingress.kubernetes.io/proxy-body-size": "1m"}),
    ),
    ("ingress", edge_rules.no_plain_http, lambda o: _config(o, "HSTS_SECONDS").pop("HSTS_SECONDS")),
    (
        "gateway-api",
        edge_rules.no_plain_http,
        lambda o: _spec(o, "Gateway", "catalogue")["listeners"][0].update(protocol="HTTP"),
    ),
    (
        "gateway-api",
        edge_rules.only_the_apis,
        lambda o: _spec(o, "HTTPRoute", "catalogue")["rules"][0]["backendRefs"][0].update(port=9101),
    ),
    (
        "ingress",
        edge_rules.only_the_apis,
        lambda o: _spec(o, "Ingress", "read")["rules"][0]["http"]["paths"][0]["backend"]["service"].update(
            name="projector"
        ),
    ),
    ("ingress", edge_rules.only_the_apis, lambda o: _spec(o, "Service", "relay").update(type="LoadBalancer")),
    ("cloudnative-pg", server_rules.databases, lambda o: _cluster(o, "event-store").update(instances=2)),
    (
        "cloudnative-pg",
        server_rules.databases,
        lambda o: _cluster(o, "event-store")["postgresql"].pop("synchronous"),
    ),
    (
        "cloudnative-pg",
        server_rules.databases,
        lambda o: _cluster(o, "read-model")["managed"]["roles"].pop(),
    ),
    (
        "cloudnative-pg",
        server_rules.databases,
        lambda o: _cluster(o, "read-model")["postgresql"]["parameters"].update(max_connections="100"),
    ),
    (
        "cloudnative-pg",
        server_rules.databases,
        lambda o: _cluster(o, "read-model")["postgresql"]["pg_hba"].clear(),
    ),
    ("cloudnative-pg", server_rules.backups, lambda o: _cluster(o, "event-store").update(plugins=[])),
    (
        "cloudnative-pg",
        server_rules.backups,
        lambda o: _spec(o, "ScheduledBackup", "event-store").update(schedule="17 1 * * *"),
    ),
    (
        "cloudnative-pg",
        server_rules.backups,
        lambda o: _spec(o, "ScheduledBackup", "read-model").update(method="barmanObjectStore"),
    ),
    (
        "cloudnative-pg",
        server_rules.poolers,
        lambda o: _parameters(o, "read-model-pooler-rw").update(ignore_startup_parameters="lock_timeout"),
    ),
    (
        "cloudnative-pg",
        server_rules.poolers,
        lambda o: _spec(o, "Pooler", "read-model-pooler-rw")["pgbouncer"].update(poolMode="session"),
    ),
    (
        "cloudnative-pg",
        server_rules.poolers,
        lambda o: _parameters(o, "read-model-pooler-rw").pop("max_prepared_statements"),
    ),
    (
        "cloudnative-pg",
        server_rules.poolers,
        lambda o: _parameters(o, "read-model-pooler-ro").update(default_pool_size="100"),
    ),
    (
        "cloudnative-pg",
        server_rules.poolers,
        lambda o: _cluster(o, "read-model")["postgresql"]["parameters"].pop("statement_timeout"),
    ),
    ("strimzi", server_rules.topics, lambda o: _spec(o, "KafkaTopic", "products-state").update(partitions=6)),
    ("strimzi", server_rules.topics, lambda o: _without(o, "KafkaTopic", "products-created")),
    (
        "strimzi",
        server_rules.topics,
        lambda o: _spec(o, "Kafka", "catalogue")["kafka"]["config"].pop("auto.create.topics.enable"),
    ),
    (
        "strimzi",
        server_rules.topics,
        lambda o: _spec(o, "KafkaTopic", "products-events")["config"].pop("min.insync.replicas"),
    ),
    ("strimzi", server_rules.kafka_users, lambda o: _without(o, "KafkaUser", "relay")),
    (
        "strimzi",
        server_rules.kafka_users,
        lambda o: _mount(o, "relay", "kafka").update(mountPath="/elsewhere"),
    ),
    (
        "strimzi",
        server_rules.kafka_users,
        lambda o: _config(o, "KAFKA_SASL_USER").update(KAFKA_SECURITY_PROTOCOL="PLAINTEXT"),
    ),
    ("strimzi", server_rules.kafka_users, lambda o: _of_a_job(o, "replay")["env"].pop(0)),
    (
        "redis",
        server_rules.cache,
        lambda o: _container(o, "Deployment", "redis")["resources"]["limits"].update(memory="512Mi"),
    ),
    ("redis", server_rules.cache, lambda o: _config(o, "redis.conf").update({"redis.conf": "maxmemory 1gb"})),
    ("redis", server_rules.server_pods, lambda o: _container(o, "Deployment", "redis").pop("readinessProbe")),
    (
        "opensearch",
        server_rules.server_pods,
        lambda o: _container(o, "StatefulSet", "opensearch")["securityContext"].pop("capabilities"),
    ),
    (
        "redis",
        server_rules.server_pods,
        lambda o: _container(o, "Deployment", "redis").update(image="redis:latest"),
    ),
    ("redis", server_rules.policies, lambda o: _spec(o, "NetworkPolicy", "redis").update(podSelector={})),
    (
        "redis",
        server_rules.policies,
        lambda o: _spec(o, "NetworkPolicy", "redis").update(
            podSelector={"matchLabels": {"app.kubernetes.io/part-of": "product-catalogue"}}
        ),
    ),
    ("external-secrets", secret_rules.external_secrets, lambda o: _without(o, "ExternalSecret", "redis")),
    (
        "external-secrets",
        secret_rules.external_secrets,
        lambda o: _spec(o, "ExternalSecret", "redis")["data"][0].update(secretKey="REDIS_PASSWORD"),
    ),
    (
        "external-secrets",
        secret_rules.external_secrets,
        lambda o: _spec(o, "ExternalSecret", "redis")["target"].update(deletionPolicy="Delete"),
    ),
    (
        "monitoring",
        monitoring_rules.jobs,
        lambda o: _spec(o, "ServiceMonitor", "product-catalogue").pop("jobLabel"),
    ),
    (
        "monitoring",
        monitoring_rules.jobs,
        lambda o: _spec(o, "ServiceMonitor", "product-catalogue")["endpoints"][0].update(port="metrics"),
    ),
    (
        "monitoring",
        monitoring_rules.renamed_metrics,
        lambda o: _renaming(o).update(replacement="pg_backups"),
    ),
    (
        "monitoring",
        monitoring_rules.rules,
        lambda o: _spec(o, "PrometheusRule", "product-catalogue-pipeline")["groups"][0]["rules"].pop(),
    ),
    ("monitoring", monitoring_rules.boards, lambda o: _without(o, "ConfigMap", "board-redis")),
    (
        "monitoring",
        monitoring_rules.sizes,
        lambda o: find(o, "ConfigMap", "board-redis")["data"].update(more="x" * 262_144),
    ),
    *operator_faults.FAULTS,
]  # fmt: skip
