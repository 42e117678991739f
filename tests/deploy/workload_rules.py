"""Policies about pods: who may do what, how they start, how they stop, how many there are."""

from collections.abc import Iterator, Sequence

import kubernetes_validate

from tests.deploy.custom_resources import errors_of, is_custom
from tests.deploy.kustomization import Manifest, find, pod_template
from tests.deploy.processes import (
    FINISHING,
    HTTP_PORT_SETTINGS,
    JOBS,
    ON_DEMAND,
    OPS_PORT_SETTINGS,
    SCHEDULED,
    SERVICES,
    default_of,
)
from tests.deploy.scales import autoscaled, scales

KINDS = {
    "Namespace", "ServiceAccount", "ConfigMap", "Deployment", "Service",
    "HorizontalPodAutoscaler", "PodDisruptionBudget", "Job", "CronJob", "PriorityClass", "ResourceQuota",
    "LimitRange",
}  # fmt: skip
# The release that manifests are tried on, and the newest whose schemas are installed.
VERSIONS = ("1.33", kubernetes_validate.latest_version())
# Servers that components bring: no processes of ours, and under policies of their own (server_rules.py).
SERVERS = ("redis", "opensearch")
# Where the files of secrets are in a container.
SECRETS = "/run/secrets/catalogue"
# What a job of ours writes for later.
_FOLDERS = {"archive-log": "/archive", "query-api": "/var/lib/search"}
_MARGIN_SECONDS = 5


def of_kind(objects: Sequence[Manifest], kind: str) -> list[Manifest]:
    """The objects of a kind."""
    return [one for one in objects if one["kind"] == kind]


def pods(objects: Sequence[Manifest]) -> Iterator[tuple[str, Manifest, Manifest]]:
    """(name, pod template, its only container) of each workload of ours; a job has no release in its name."""
    for one in objects:
        template = pod_template(one)
        if template is not None and one["metadata"]["name"] not in SERVERS:
            (container,) = template["spec"]["containers"]
            yield stem(one), template, container


def stem(one: Manifest) -> str:
    """The name, of a job without its release."""
    name: str = one["metadata"]["name"]
    return name.partition(".")[0] if one["kind"] == "Job" else name


def schema(objects: Sequence[Manifest]) -> Iterator[str]:
    """Strictly: a misspelt field is a mistake. A kind without a schema raises, and so is no silent pass."""
    for one in (each for each in objects if is_custom(each)):
        yield from errors_of(one)
    for version in VERSIONS:
        for one in (each for each in objects if not is_custom(each)):
            try:
                kubernetes_validate.validate(one, version, strict=True)
            except kubernetes_validate.ValidationError as error:
                yield f"{version}: {one['kind']} {one['metadata']['name']}: {error.message}"


def complete(objects: Sequence[Manifest]) -> Iterator[str]:
    """Each process has what it needs, and nothing is there that nobody knows of."""
    kinds = {one["kind"] for one in objects}
    if kinds != KINDS:
        yield f"kinds: {sorted(kinds ^ KINDS)}"
    for name in SERVICES:
        for kind in ("Deployment", "Service", "ServiceAccount", "PodDisruptionBudget", "ConfigMap"):
            if not any(one["metadata"]["name"] == name for one in of_kind(objects, kind)):
                yield f"{name} has no {kind}"
    if {stem(one) for one in of_kind(objects, "Job")} != {*JOBS, *FINISHING}:
        yield f"jobs are not {sorted({*JOBS, *FINISHING})}"
    if {one["metadata"]["name"] for one in of_kind(objects, "CronJob")} != {*SCHEDULED, *ON_DEMAND}:
        yield f"scheduled jobs, and those on demand, are not {sorted({*SCHEDULED, *ON_DEMAND})}"


def selectors(objects: Sequence[Manifest]) -> Iterator[str]:
    """Every selector means the pods of exactly the workload that has its object's name."""
    labels = {name: template["metadata"]["labels"] for name, template, _ in pods(objects)}
    for one in objects:
        spec, name = one.get("spec", {}), one["metadata"]["name"]
        wanted = []
        if one["kind"] == "Service":
            wanted.append(spec["selector"])
        if one["kind"] in ("Deployment", "PodDisruptionBudget"):
            wanted.append(spec["selector"]["matchLabels"])
        if one["kind"] == "Deployment":
            spreads = spec["template"]["spec"]["topologySpreadConstraints"]
            wanted += [spread["labelSelector"]["matchLabels"] for spread in spreads]
            if not all(spread.get("matchLabelKeys") == ["pod-template-hash"] for spread in spreads):
                yield f"{name}: a roll-out's old pods would count in the spread"
        for selector in wanted:
            chosen = [pod for pod, has in labels.items() if selector.items() <= has.items()]
            if chosen != [name]:
                yield f"{one['kind']} {name} selects {chosen}"


def ports(objects: Sequence[Manifest]) -> Iterator[str]:
    """Container ports are those that the process listens on; Services and probes lead to them by name."""
    for name, _, container in pods(objects):
        if name not in SERVICES:
            continue
        has = {port["name"]: port["containerPort"] for port in container.get("ports", [])}
        wanted = {"ops": default_of(name, OPS_PORT_SETTINGS[name])}
        if name in HTTP_PORT_SETTINGS:
            wanted["http"] = default_of(name, HTTP_PORT_SETTINGS[name])
        if has != wanted:
            yield f"{name}: ports {has}, not {wanted}"
        for port in find(objects, "Service", name)["spec"]["ports"]:
            if port["targetPort"] not in has:
                yield f"Service {name}: no port {port['targetPort']} in its pods"
        for probe, path in (("startup", "/livez"), ("readiness", "/readyz"), ("liveness", "/livez")):
            get = container.get(f"{probe}Probe", {}).get("httpGet", {})
            if get != {"path": path, "port": "ops"}:
                yield f"{name}: {probe} probe asks {get}"


def scale(objects: Sequence[Manifest]) -> Iterator[str]:
    """One owner of each scale; at least two pods; no more projectors than partitions; no drain blocked."""
    every = scales(objects)
    for one in of_kind(objects, "Deployment"):
        name = one["metadata"]["name"]
        if len(every[name].owners) != 1:
            yield f"{name}: the owners of its scale are {every[name].owners}"
        if every[name].fewest < 2:
            yield f"{name}: fewer than two pods"
        if one["spec"]["strategy"]["rollingUpdate"]["maxUnavailable"] != 0:
            yield f"{name}: a roll-out takes pods away first"
    partitions = int(str(default_of("relay", "PARTITION_COUNT")))
    if every["projector"].most > partitions:
        yield f"projector: more pods than the {partitions} partitions"
    for name, _, spec in autoscaled(objects):
        if name not in every:
            yield f"{name}: an autoscaler of nothing"
        if name == "projector" and "cpu" in str(spec.get("metrics")):
            yield "projector: processor time says nothing about how far behind it is"
    for one in of_kind(objects, "PodDisruptionBudget"):
        spec = one["spec"]
        if spec.get("maxUnavailable") != 1 or spec.get("unhealthyPodEvictionPolicy") != "AlwaysAllow":
            yield f"{one['metadata']['name']}: the disruption budget could block a drain for ever"


def resources(objects: Sequence[Manifest]) -> Iterator[str]:
    """Memory that was asked for is what may be used; CPU is asked for and never throttled."""
    for name, _, container in pods(objects):
        asked, limits = container["resources"].get("requests", {}), container["resources"].get("limits", {})
        if "cpu" not in asked or asked.get("memory") is None or limits != {"memory": asked["memory"]}:
            yield f"{name}: requests {asked}, limits {limits}"


def security(objects: Sequence[Manifest]) -> Iterator[str]:
    """Pod Security "restricted", a root file system that nobody writes to, no token for the cluster."""
    for one in of_kind(objects, "Namespace"):
        if one["metadata"]["labels"].get("pod-security.kubernetes.io/enforce") != "restricted":
            yield "the namespace does not enforce Pod Security"
    for one in of_kind(objects, "ServiceAccount"):
        if one.get("automountServiceAccountToken") is not False:
            yield f"{one['metadata']['name']}: the account mounts its token"
    accounts = {one["metadata"]["name"] for one in of_kind(objects, "ServiceAccount")}
    for name, template, container in pods(objects):
        spec, own = template["spec"], container.get("securityContext", {})
        pod = spec.get("securityContext", {})
        faults = {
            "may be root": pod.get("runAsNonRoot") is not True or pod.get("runAsUser") != 65532,
            "no seccomp profile": pod.get("seccompProfile") != {"type": "RuntimeDefault"},
            "may gain privileges": own.get("allowPrivilegeEscalation") is not False,
            "keeps capabilities": own.get("capabilities") != {"drop": ["ALL"]},
            "may write to its file system": own.get("readOnlyRootFilesystem") is not True,
            "mounts a token": spec.get("automountServiceAccountToken") is not False,
            "has no account of its own": spec.get("serviceAccountName") not in accounts,
            "gets service links": spec.get("enableServiceLinks") is not False,
            "shares the host": any(spec.get(key) for key in ("hostNetwork", "hostPID", "hostIPC")),
            "has other folders than /tmp, its own and secrets, or may write to these": any(
                mount["mountPath"] not in ("/tmp", _FOLDERS.get(name))
                and not (mount["mountPath"].startswith("/run/secrets/") and mount.get("readOnly"))
                for mount in container.get("volumeMounts", [])
            ),
            "has secrets in its environment": any(
                one["valueFrom"].keys() != {"fieldRef"}
                for one in container.get("env", [])
                if "valueFrom" in one
            ),
            "cannot read its secrets": pod.get("fsGroup") != 65532,
        }
        yield from (f"{name}: {fault}" for fault, is_so in faults.items() if is_so)


def images(objects: Sequence[Manifest]) -> Iterator[str]:
    """The image of the package, with a tag that means one build."""
    package = {
        "relay": "command-api",
        "migrate-event-store": "command-api",
        "migrate-read-model": "projector",
        "finish-event-store": "command-api",
        "finish-read-model": "projector",
        "verify": "projector",
        "operator": "projector",
        "replay": "command-api",
        "archive-log": "command-api",
    }
    for name, _, container in pods(objects):
        image, _, tag = container["image"].partition(":")
        if image != f"product-catalogue/{package.get(name, name)}" or tag in ("", "latest"):
            yield f"{name}: image {container['image']}"


def grace(objects: Sequence[Manifest]) -> Iterator[str]:
    """The kernel's kill comes after the pre-stop pause and the process's own, shorter limit."""
    for name, template, container in pods(objects):
        pause = container.get("lifecycle", {}).get("preStop", {}).get("sleep", {}).get("seconds", 0)
        needed = pause + float(str(default_of(name, "SHUTDOWN_SECONDS_MAX"))) + _MARGIN_SECONDS
        if template["spec"].get("terminationGracePeriodSeconds", 30) < needed:
            yield f"{name}: is killed before {needed:.0f} s"
        if name in HTTP_PORT_SETTINGS and pause < _MARGIN_SECONDS:
            yield f"{name}: closes its port while requests are still sent to it"
