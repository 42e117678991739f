"""The Kubernetes manifests against every policy, and every policy against a fault."""

import copy
import re
import shutil
import subprocess
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

import kubernetes_validate
import pytest
import yaml

from tests.deploy import config_rules, workload_rules
from tests.deploy.kustomization import Manifest, find, render

KUSTOMIZE = Path(__file__).parents[2] / "deploy" / "kustomize"
BASE, LOCAL = KUSTOMIZE / "base", KUSTOMIZE / "overlays" / "local"
LOGS = KUSTOMIZE.parent / "logs"

Rule = Callable[[Sequence[Manifest]], Iterator[str]]
Fault = Callable[[list[Manifest]], object]

RULES: list[Rule] = [
    workload_rules.schema,
    workload_rules.complete,
    workload_rules.selectors,
    workload_rules.ports,
    workload_rules.scale,
    workload_rules.schedules,
    workload_rules.resources,
    workload_rules.security,
    workload_rules.images,
    workload_rules.grace,
    config_rules.environment,
    config_rules.connections,
    config_rules.no_secrets,
]
OVERLAY_RULES = [rule for rule in RULES if rule not in (workload_rules.complete, config_rules.no_secrets)]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_the_base_keeps_each_policy(rule: Rule) -> None:
    assert list(rule(render(BASE))) == []


@pytest.mark.parametrize("rule", [*OVERLAY_RULES, config_rules.secrets_exist], ids=lambda rule: rule.__name__)
def test_the_local_overlay_keeps_each_policy_and_makes_every_secret(rule: Rule) -> None:
    assert list(rule(render(LOCAL))) == []


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


def _scheduled(objects: list[Manifest]) -> Manifest:
    spec: Manifest = find(objects, "CronJob", "verify")["spec"]
    return spec


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
    (workload_rules.complete, lambda o: _without(o, "Job", "migrate-read-model")),
    (workload_rules.complete, lambda o: _without(o, "CronJob", "verify")),
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
    (workload_rules.schedules, lambda o: _scheduled(o).update(concurrencyPolicy="Allow")),
    (workload_rules.schedules, lambda o: _scheduled(o).pop("timeZone")),
    (workload_rules.schedules, lambda o: _scheduled(o)["jobTemplate"]["spec"].pop("activeDeadlineSeconds")),
    (workload_rules.schedules, lambda o: _on_exit(o).update(values=[1, 2, 4])),
    (workload_rules.schedules, lambda o: _on_exit(o).update(containerName="projector")),
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
    (workload_rules.security, lambda o: o[0]["metadata"]["labels"].clear()),
    (workload_rules.images, lambda o: _container(o).update(image="product-catalogue/command-api:latest")),
    (workload_rules.images, lambda o: _container(o).update(image="product-catalogue/command-api")),
    (workload_rules.images, lambda o: _container(o, "relay").update(image="product-catalogue/projector:1")),
    (workload_rules.grace, lambda o: _pod(o).update(terminationGracePeriodSeconds=30)),
    (workload_rules.grace, lambda o: _container(o).pop("lifecycle")),
    (config_rules.environment, lambda o: _container(o)["env"].pop()),
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
    (config_rules.connections, lambda o: _autoscaler(o, "command-api").update(maxReplicas=16)),
    (config_rules.no_secrets, lambda o: o.append({"kind": "Secret", "metadata": {"name": "mine"}})),
]


@pytest.mark.parametrize(
    ("rule", "fault"), FAULTS, ids=[f"{rule.__name__}-{n}" for n, (rule, _) in enumerate(FAULTS)]
)
def test_each_policy_notices_a_fault(rule: Rule, fault: Fault) -> None:
    broken = copy.deepcopy(render(BASE))
    fault(broken)
    assert any(rule(broken))


def test_every_policy_has_a_fault_that_it_notices() -> None:
    assert {rule for rule, _ in FAULTS} == set(RULES)


def test_a_missing_secret_an_unused_one_and_a_wrong_role_are_noticed() -> None:
    missing, unused, wrong = render(LOCAL), render(LOCAL), render(LOCAL)
    missing.remove(find(missing, "Secret", "redis"))
    find(unused, "Secret", "redis")["data"]["REDIS_PASSWORD"] = ""
    find(wrong, "Secret", "event-store-writer")["data"] = {
        "EVENT_STORE_DSN": find(wrong, "Secret", "event-store-owner")["data"]["EVENT_STORE_MIGRATE_DSN"]
    }
    assert list(config_rules.secrets_exist(missing)) == [
        "command-api: REDIS_URL comes from no Secret",
        "projector: REDIS_URL comes from no Secret",
        "query-api: REDIS_URL comes from no Secret",
        "verify: REDIS_URL comes from no Secret",
    ]  # fmt: skip
    assert list(config_rules.secrets_exist(unused)) == ["Secret redis: REDIS_PASSWORD is used by nobody"]
    assert len(list(config_rules.environment(wrong))) == 2


def test_a_kind_without_a_schema_is_no_silent_pass() -> None:
    with pytest.raises(kubernetes_validate.SchemaNotFoundError):
        list(workload_rules.schema([{"apiVersion": "keda.sh/v1alpha1", "kind": "ScaledObject"}]))


@pytest.mark.skipif(
    shutil.which("kubectl") is None, reason="kubectl is not installed; the tests' own rendering is checked"
)
@pytest.mark.parametrize("folder", [BASE, LOCAL, LOGS], ids=lambda folder: folder.name)
def test_our_rendering_is_that_of_kubectl(folder: Path) -> None:
    text = subprocess.run(["kubectl", "kustomize", folder], check=True, capture_output=True, text=True).stdout
    generated = [one for one in yaml.safe_load_all(text) if one["kind"] in ("ConfigMap", "Secret")]
    for hashed in (one["metadata"]["name"] for one in generated):
        text = re.sub(rf"\b{hashed}\b", hashed.rpartition("-")[0], text)
    assert _by_name(yaml.safe_load_all(text)) == _by_name(render(folder))


def _by_name(objects: Iterable[Manifest]) -> dict[tuple[str, str], Manifest]:
    found = {(one["kind"], one["metadata"]["name"]): one for one in objects}
    for secret in (one for (kind, _), one in found.items() if kind == "Secret"):
        # kubectl breaks long lines of base64.
        secret["data"] = {key: "".join(value.split()) for key, value in secret["data"].items()}
    return found
