"""A fault for each policy: what is changed in the rendered objects, and which policy must notice it."""

from tests.deploy import capacity_rules, config_rules, job_rules, workload_rules
from tests.deploy.kustomization import Manifest, find
from tests.deploy.rules import Fault, Rule


def _deployment(objects: list[Manifest], name: str = "command-api") -> Manifest:
    return find(objects, "Deployment", name)


def _pod(objects: list[Manifest], name: str = "command-api") -> Manifest:
    pod: Manifest = _deployment(objects, name)["spec"]["template"]["spec"]
    return pod


def _container(objects: list[Manifest], name: str = "command-api") -> Manifest:
    container: Manifest = _pod(objects, name)["containers"][0]
    return container


def _autoscaler(objects: list[Manifest], name: str) -> Manifest:
    spec: Manifest = find(objects, "HorizontalPodAutoscaler", name)["spec"]
    return spec


def _job(objects: list[Manifest]) -> Manifest:
    return next(one for one in objects if one["kind"] == "Job")


def _priority(objects: list[Manifest], name: str) -> Manifest:
    return find(objects, "PriorityClass", f"product-catalogue-{name}")


def _quota(objects: list[Manifest]) -> Manifest:
    spec: Manifest = find(objects, "ResourceQuota", "product-catalogue")["spec"]
    return spec


def _secrets(holders: list[Manifest]) -> Manifest:
    """The volume of that name, or its mount."""
    return next(one for one in holders if one["name"] == "secrets")


def _scheduled(objects: list[Manifest]) -> Manifest:
    spec: Manifest = find(objects, "CronJob", "verify")["spec"]
    return spec


def _on_demand(objects: list[Manifest], name: str = "operator") -> Manifest:
    spec: Manifest = find(objects, "CronJob", name)["spec"]
    return spec


def _its_container(objects: list[Manifest], name: str = "operator") -> Manifest:
    container: Manifest = _on_demand(objects, name)["jobTemplate"]["spec"]["template"]["spec"]["containers"][
        0
    ]
    return container


def _nightly_pod(objects: list[Manifest]) -> Manifest:
    template: Manifest = _scheduled(objects)["jobTemplate"]["spec"]["template"]
    return template


def _on_exit(objects: list[Manifest]) -> Manifest:
    codes: Manifest = _scheduled(objects)["jobTemplate"]["spec"]["podFailurePolicy"]["rules"][0][
        "onExitCodes"
    ]
    return codes


def _without(objects: list[Manifest], kind: str, name: str) -> None:
    objects.remove(find(objects, kind, name))


FAULTS: list[tuple[Rule, Fault]] = [
    (workload_rules.schema, lambda o: _container(o).update(readynessProbe={})),
    (workload_rules.schema, lambda o: _deployment(o)["spec"].update(replicas="two")),
    (workload_rules.complete, lambda o: _without(o, "PodDisruptionBudget", "relay")),
    (workload_rules.complete, lambda o: _without(o, "Job", _job(o)["metadata"]["name"])),
    (workload_rules.complete, lambda o: _without(o, "CronJob", "verify")),
    (workload_rules.complete, lambda o: _without(o, "CronJob", "replay")),
    (workload_rules.complete, lambda o: o.append({"kind": "Pod", "metadata": {"name": "stray"}})),
    (
        workload_rules.selectors,
        lambda o: find(o, "Service", "relay")["spec"].update(selector={"app": "relay"}),
    ),
    (
        workload_rules.selectors,
        lambda o: find(o, "Service", "relay")["spec"].update(
            selector={"app.kubernetes.io/part-of": "product-catalogue"}
        ),
    ),
    (
        workload_rules.selectors,
        lambda o: _pod(o)["topologySpreadConstraints"][0].pop("matchLabelKeys"),
    ),
    (workload_rules.ports, lambda o: _container(o)["ports"][0].update(containerPort=8080)),
    (workload_rules.ports, lambda o: _container(o)["livenessProbe"]["httpGet"].update(path="/readyz")),
    (workload_rules.ports, lambda o: _container(o)["readinessProbe"]["httpGet"].update(port="http")),
    (workload_rules.ports, lambda o: _container(o).pop("startupProbe")),
    (
        workload_rules.ports,
        lambda o: find(o, "Service", "query-api")["spec"]["ports"][0].update(targetPort="web"),
    ),
    (workload_rules.scale, lambda o: _deployment(o)["spec"].update(replicas=2)),
    (workload_rules.scale, lambda o: _deployment(o, "relay")["spec"].pop("replicas")),
    (workload_rules.scale, lambda o: _autoscaler(o, "projector").update(maxReplicas=13)),
    (
        workload_rules.scale,
        lambda o: _autoscaler(o, "projector").update(metrics=_autoscaler(o, "query-api")["metrics"]),
    ),
    (workload_rules.scale, lambda o: _autoscaler(o, "query-api").update(minReplicas=1)),
    (workload_rules.scale, lambda o: _autoscaler(o, "query-api")["scaleTargetRef"].update(name="gone")),
    (
        workload_rules.scale,
        lambda o: _deployment(o)["spec"]["strategy"]["rollingUpdate"].update(maxUnavailable=1),
    ),
    (
        workload_rules.scale,
        lambda o: find(o, "PodDisruptionBudget", "relay")["spec"].update(maxUnavailable=0),
    ),
    (job_rules.schedules, lambda o: _scheduled(o).update(concurrencyPolicy="Allow")),
    (job_rules.schedules, lambda o: _scheduled(o).pop("timeZone")),
    (job_rules.schedules, lambda o: _scheduled(o)["jobTemplate"]["spec"].pop("activeDeadlineSeconds")),
    (job_rules.schedules, lambda o: _on_exit(o).update(values=[1, 2, 4])),
    (job_rules.schedules, lambda o: _on_exit(o).update(containerName="projector")),
    (job_rules.migrations, lambda o: _job(o)["spec"].pop("suspend")),
    (job_rules.migrations, lambda o: _job(o)["spec"]["template"]["spec"]["containers"][0]["args"].pop()),
    (job_rules.on_demand, lambda o: _on_demand(o).pop("suspend")),
    (job_rules.on_demand, lambda o: _on_demand(o, "replay")["jobTemplate"]["spec"].update(backoffLimit=1)),
    (job_rules.on_demand, lambda o: _on_demand(o)["jobTemplate"]["spec"].pop("ttlSecondsAfterFinished")),
    (job_rules.on_demand, lambda o: _on_demand(o)["jobTemplate"]["spec"].pop("activeDeadlineSeconds")),
    (job_rules.on_demand, lambda o: _on_demand(o, "replay").pop("failedJobsHistoryLimit")),
    (job_rules.on_demand, lambda o: _its_container(o)["env"].pop()),
    (job_rules.on_demand, lambda o: _its_container(o, "replay")["env"][-1].update(value="{}")),
    (job_rules.room_for_a_rebuild, lambda o: _its_container(o)["resources"]["limits"].update(memory="1Gi")),
    (
        job_rules.room_for_a_rebuild,
        lambda o: find(o, "ConfigMap", "projector")["data"].update(REBUILD_PRODUCTS_IN_MEMORY_MAX="500000"),
    ),
    (workload_rules.security, lambda o: _nightly_pod(o)["spec"].pop("securityContext")),
    (workload_rules.resources, lambda o: _container(o)["resources"]["limits"].update(cpu="1")),
    (workload_rules.resources, lambda o: _container(o)["resources"]["requests"].pop("cpu")),
    (workload_rules.security, lambda o: _container(o)["securityContext"].pop("capabilities")),
    (
        workload_rules.security,
        lambda o: _container(o)["securityContext"].update(readOnlyRootFilesystem=False),
    ),
    (workload_rules.security, lambda o: _pod(o)["securityContext"].pop("runAsUser")),
    (workload_rules.security, lambda o: _pod(o)["securityContext"].pop("seccompProfile")),
    (workload_rules.security, lambda o: _pod(o).pop("automountServiceAccountToken")),
    (workload_rules.security, lambda o: _pod(o).update(serviceAccountName="default")),
    (workload_rules.security, lambda o: _pod(o).pop("enableServiceLinks")),
    (workload_rules.security, lambda o: _pod(o).update(hostNetwork=True)),
    (
        workload_rules.security,
        lambda o: find(o, "Namespace", "product-catalogue")["metadata"]["labels"].clear(),
    ),
    (workload_rules.images, lambda o: _container(o).update(image="product-catalogue/command-api:latest")),
    (workload_rules.images, lambda o: _container(o).update(image="product-catalogue/command-api")),
    (workload_rules.images, lambda o: _container(o, "relay").update(image="product-catalogue/projector:1")),
    (workload_rules.grace, lambda o: _pod(o).update(terminationGracePeriodSeconds=30)),
    (workload_rules.grace, lambda o: _container(o).pop("lifecycle")),
    (workload_rules.security, lambda o: _secrets(_container(o)["volumeMounts"]).pop("readOnly")),
    (workload_rules.security, lambda o: _pod(o)["securityContext"].pop("fsGroup")),
    (
        workload_rules.security,
        lambda o: _container(o)["env"].append({"name": "REDIS_URL", "valueFrom": {"secretKeyRef": {}}}),
    ),
    (capacity_rules.priorities, lambda o: _pod(o).pop("priorityClassName")),
    (capacity_rules.priorities, lambda o: _priority(o, "migration").update(value=1)),
    (capacity_rules.priorities, lambda o: _priority(o, "write").update(value=200000)),
    (capacity_rules.priorities, lambda o: o.remove(_priority(o, "read"))),
    (capacity_rules.quota, lambda o: _autoscaler(o, "projector").update(maxReplicas=30)),
    (capacity_rules.quota, lambda o: _container(o)["resources"]["requests"].update(memory="8Gi")),
    (capacity_rules.quota, lambda o: _quota(o)["hard"].update({"requests.cpu": "80"})),
    (capacity_rules.quota, lambda o: _quota(o)["hard"].update({"limits.memory": "80Gi"})),
    (capacity_rules.quota, lambda o: _quota(o)["scopeSelector"]["matchExpressions"][0]["values"].pop()),
    (capacity_rules.release, lambda o: _job(o)["metadata"].update(name="migrate-event-store")),
    (capacity_rules.release, lambda o: _job(o)["metadata"].update(name="migrate-event-store.release")),
    (
        capacity_rules.release,
        lambda o: _container(o).update(image="product-catalogue/command-api:0.0.9"),
    ),
    (config_rules.environment, lambda o: _container(o)["env"].pop()),
    (config_rules.environment, lambda o: _secrets(_pod(o)["volumes"])["projected"]["sources"].pop()),
    (config_rules.environment, lambda o: _container(o)["env"][0].update(value="/run/secrets/other")),
    (config_rules.environment, lambda o: find(o, "ConfigMap", "relay")["data"].update(RELAY_CHUNK_MAX="1")),
    (
        config_rules.environment,
        lambda o: find(o, "ConfigMap", "relay")["data"].pop("KAFKA_BOOTSTRAP_SERVERS"),
    ),
    (config_rules.environment, lambda o: _container(o)["envFrom"][0]["configMapRef"].update(name="gone")),
    (
        config_rules.environment,
        lambda o: find(o, "ConfigMap", "query-api")["data"].update(CURSOR_SIGNING_KEY="x"),
    ),
    (config_rules.connections, lambda o: _autoscaler(o, "query-api").update(maxReplicas=7)),
    (
        config_rules.connections,
        lambda o: find(o, "ConfigMap", "query-api")["data"].update(TABLE_READS_MAX="16"),
    ),
    (config_rules.environment, lambda o: _its_container(o, "replay")["envFrom"].pop()),
    (config_rules.connections, lambda o: _autoscaler(o, "command-api").update(maxReplicas=16)),
    (config_rules.no_secrets, lambda o: o.append({"kind": "Secret", "metadata": {"name": "mine"}})),
]
