"""docker-compose.yml against every policy, and every policy against a fault."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.deploy import compose_rules, observer_rules
from tests.deploy.compose_file import ROOT, observers, system
from tests.deploy.kustomization import Manifest

Rule = Callable[[Manifest], Iterator[str]]
Fault = Callable[[Any], object]

RULES: list[Rule] = [
    compose_rules.complete,
    compose_rules.environment,
    compose_rules.ports,
    compose_rules.security,
    compose_rules.lifecycle,
    compose_rules.images,
    compose_rules.bounds,
    compose_rules.logs,
]
OBSERVER_RULES: list[Rule] = [
    observer_rules.complete,
    observer_rules.images,
    observer_rules.ports,
    observer_rules.security,
    observer_rules.bounds,
    observer_rules.lifecycle,
    observer_rules.mounts,
]
# Each gets the services, every one of them its own copy.
FAULTS: list[tuple[Rule, Fault]] = [
    (compose_rules.complete, lambda s: s.pop("relay")),
    (compose_rules.environment, lambda s: s["relay"]["environment"].update(KAFKA_SERVERS="kafka:9092")),
    (compose_rules.environment, lambda s: s["relay"]["environment"].pop("KAFKA_BOOTSTRAP_SERVERS")),
    (compose_rules.environment, lambda s: s["relay"]["environment"].pop("AUTH_ISSUER")),
    (compose_rules.environment, lambda s: s["query-api"]["environment"].pop("CURSOR_SIGNING_KEY")),
    (compose_rules.environment, lambda s: s["command-api"]["environment"].pop("READ_URL")),
    (
        compose_rules.environment,
        lambda s: s["query-api"]["environment"].update(
            READ_MODEL_DSN=s["projector"]["environment"]["READ_MODEL_DSN"]
        ),
    ),
    (compose_rules.ports, lambda s: s["redis"].update(ports=["${REDIS_PORT:-16379}:6379"])),
    (compose_rules.ports, lambda s: s["redis"].update(ports=["127.0.0.1:${REDIS_PORT:-6379}:6379"])),
    (compose_rules.ports, lambda s: s["relay"].update(ports=["127.0.0.1:${RELAY_OPS_PORT:-9103}:9100"])),
    (compose_rules.ports, lambda s: s["relay"].pop("ports")),
    (compose_rules.security, lambda s: s["relay"].update(read_only=False)),
    (compose_rules.security, lambda s: s["relay"].pop("cap_drop")),
    (compose_rules.security, lambda s: s["kafka"].pop("security_opt")),
    (compose_rules.security, lambda s: s["relay"].update(user="root")),
    (compose_rules.lifecycle, lambda s: s["relay"].update(restart="no")),
    (compose_rules.lifecycle, lambda s: s["relay"].update(stop_grace_period="20s")),
    (compose_rules.lifecycle, lambda s: s["relay"].update(healthcheck=s["projector"]["healthcheck"])),
    (compose_rules.lifecycle, lambda s: s["relay"]["depends_on"].pop("migrate-event-store")),
    (
        compose_rules.lifecycle,
        lambda s: s["relay"]["depends_on"]["kafka"].update(condition="service_started"),
    ),
    (compose_rules.lifecycle, lambda s: s["kafka"].pop("volumes")),
    (compose_rules.images, lambda s: s["redis"].update(image="redis:8")),
    (compose_rules.images, lambda s: s["redis"].update(image="${REDIS_IMAGE:-redis:latest}")),
    (compose_rules.images, lambda s: s["kafka"].update(image="${KAFKA_IMAGE:-apache/kafka:3.9.0}")),
    (compose_rules.images, lambda s: s["projector"]["build"].update(dockerfile="Dockerfile.query")),
    (compose_rules.images, lambda s: s["relay"].update(build=s["command-api"]["build"])),
    (compose_rules.images, lambda s: s["query-api"].pop("build")),
    (compose_rules.bounds, lambda s: s["redis"].pop("mem_limit")),
    (compose_rules.bounds, lambda s: s["relay"].update(mem_limit=-1)),
    (compose_rules.bounds, lambda s: s["migrate-read-model"].pop("pids_limit")),
    (compose_rules.bounds, lambda s: s["postgres"].update(pids_limit=-1)),
    (compose_rules.logs, lambda s: s["redis"].pop("logging")),
    (compose_rules.logs, lambda s: s["relay"]["logging"]["options"].pop("max-file")),
    (compose_rules.logs, lambda s: s["relay"]["logging"]["options"].update(labels="project")),
]
OBSERVER_FAULTS: list[tuple[Rule, Fault]] = [
    (observer_rules.complete, lambda s: s.pop("loki")),
    (observer_rules.complete, lambda s: s["loki"].update(profiles=["logs"])),
    (observer_rules.images, lambda s: s["loki"].update(image="grafana/loki:3.7.8")),
    (observer_rules.images, lambda s: s["loki"].update(image="${LOKI_IMAGE:-grafana/loki:latest}")),
    (observer_rules.images, lambda s: s["jaeger"].update(image="${JAEGER_IMAGE:-jaegertracing/jaeger:2}")),
    (observer_rules.ports, lambda s: s["jaeger"].update(ports=["${JAEGER_PORT:-16686}:16686"])),
    (observer_rules.ports, lambda s: s["jaeger"].pop("ports")),
    (observer_rules.ports, lambda s: s["collector"].update(ports=["127.0.0.1:4318:4318"])),
    (observer_rules.security, lambda s: s["grafana"].update(read_only=False)),
    (observer_rules.security, lambda s: s["grafana"].update(user="0")),
    (observer_rules.security, lambda s: s["collector"].update(cap_add=["SYS_ADMIN"])),
    (observer_rules.security, lambda s: s["collector"]["volumes"].append("/var/run/docker.sock:/docker")),
    (observer_rules.security, lambda s: s["prometheus"].update(network_mode="host")),
    (observer_rules.bounds, lambda s: s["jaeger"].pop("mem_limit")),
    (observer_rules.bounds, lambda s: s["jaeger"].update(pids_limit=-1)),
    (observer_rules.bounds, lambda s: s["jaeger"]["logging"].pop("options")),
    (observer_rules.bounds, lambda s: s["loki"]["logging"]["options"].update(labels="any")),
    (observer_rules.lifecycle, lambda s: s["grafana"].pop("healthcheck")),
    (observer_rules.lifecycle, lambda s: s["grafana"].update(restart="no")),
    (observer_rules.lifecycle, lambda s: s["prometheus"].update(depends_on={"relay": {}})),
    (observer_rules.mounts, lambda s: s["loki"]["volumes"].append("./deploy/loki.yaml:/etc/loki.yaml:ro")),
    (observer_rules.mounts, lambda s: s["loki"]["volumes"].append("logs:/logs")),
]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_the_compose_file_keeps_each_policy(rule: Rule) -> None:
    assert list(rule(system())) == []


@pytest.mark.parametrize("rule", OBSERVER_RULES, ids=lambda rule: rule.__name__)
def test_the_profile_of_observers_keeps_each_policy(rule: Rule) -> None:
    assert list(rule(observers())) == []


@pytest.mark.parametrize(
    ("rule", "fault"), FAULTS, ids=[f"{rule.__name__}-{n}" for n, (rule, _) in enumerate(FAULTS)]
)
def test_each_policy_notices_a_fault(rule: Rule, fault: Fault) -> None:
    compose = system()
    fault(compose["services"])
    assert any(rule(compose))


@pytest.mark.parametrize(
    ("rule", "fault"),
    OBSERVER_FAULTS,
    ids=[f"{rule.__name__}-{n}" for n, (rule, _) in enumerate(OBSERVER_FAULTS)],
)
def test_each_policy_about_observers_notices_a_fault(rule: Rule, fault: Fault) -> None:
    compose = observers()
    fault(compose["services"])
    assert any(rule(compose))


def test_every_policy_has_a_fault_that_it_notices() -> None:
    assert {rule for rule, _ in FAULTS} == set(RULES)
    assert {rule for rule, _ in OBSERVER_FAULTS} == set(OBSERVER_RULES)


def test_a_new_volume_gets_the_roles_and_databases_of_make_up() -> None:
    mounts = [mount.split(":") for mount in system()["services"]["postgres"]["volumes"]]
    sources = [source for source, target, *_ in mounts if target.startswith("/docker-entrypoint-initdb.d/")]
    assert sources == ["./deploy/local/roles.sql"]
    assert (ROOT / sources[0]).is_file()
