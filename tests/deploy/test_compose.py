"""docker-compose.yml against every policy, and every policy against a fault."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.deploy import compose_rules
from tests.deploy.kustomization import Manifest

ROOT = Path(__file__).parents[2]
Rule = Callable[[Manifest], Iterator[str]]
Fault = Callable[[Any], object]

RULES: list[Rule] = [
    compose_rules.complete,
    compose_rules.environment,
    compose_rules.ports,
    compose_rules.security,
    compose_rules.lifecycle,
    compose_rules.images,
]
# Each gets the services, every one of them its own copy.
FAULTS: list[tuple[Rule, Fault]] = [
    (compose_rules.complete, lambda s: s.pop("relay")),
    (compose_rules.environment, lambda s: s["relay"]["environment"].update(KAFKA_SERVERS="kafka:9092")),
    (compose_rules.environment, lambda s: s["relay"]["environment"].pop("KAFKA_BOOTSTRAP_SERVERS")),
    (compose_rules.environment, lambda s: s["relay"]["environment"].pop("AUTH_ISSUER")),
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
    (compose_rules.images, lambda s: s["relay"]["build"].update(dockerfile="Dockerfile.query")),
]


def _compose() -> Manifest:
    compose: Manifest = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    return compose


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_the_compose_file_keeps_each_policy(rule: Rule) -> None:
    assert list(rule(_compose())) == []


@pytest.mark.parametrize(
    ("rule", "fault"), FAULTS, ids=[f"{rule.__name__}-{n}" for n, (rule, _) in enumerate(FAULTS)]
)
def test_each_policy_notices_a_fault(rule: Rule, fault: Fault) -> None:
    compose = _compose()
    # Anchors are shared objects: a fault in one service would be one in all.
    for name, service in compose["services"].items():
        compose["services"][name] = yaml.safe_load(yaml.safe_dump(service))
    fault(compose["services"])
    assert any(rule(compose))


def test_every_policy_has_a_fault_that_it_notices() -> None:
    assert {rule for rule, _ in FAULTS} == set(RULES)


def test_a_new_volume_gets_the_roles_and_databases_of_make_up() -> None:
    mounts = [mount.split(":") for mount in _compose()["services"]["postgres"]["volumes"]]
    sources = [source for source, target, *_ in mounts if target.startswith("/docker-entrypoint-initdb.d/")]
    assert sources == ["./deploy/local/roles.sql"]
    assert (ROOT / sources[0]).is_file()
