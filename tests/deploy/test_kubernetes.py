"""The Kubernetes manifests against every policy, and every policy against a fault."""

import kubernetes_validate
import pytest

from tests.deploy import capacity_rules, config_rules, job_rules, workload_rules
from tests.deploy.kustomization import BASE, KUSTOMIZE, Manifest, find, render, render_with
from tests.deploy.manifest_faults import FAULTS
from tests.deploy.rules import Fault, Rule

LOCAL = KUSTOMIZE / "overlays" / "local"
# What a small cluster has for everything at once, beside its own pods and the servers.
LOCAL_CPU_MAX = 1.2

RULES: list[Rule] = [
    workload_rules.schema,
    workload_rules.complete,
    workload_rules.selectors,
    workload_rules.ports,
    workload_rules.scale,
    job_rules.schedules,
    job_rules.migrations,
    job_rules.on_demand,
    job_rules.room_for_a_rebuild,
    workload_rules.resources,
    workload_rules.security,
    workload_rules.images,
    workload_rules.grace,
    capacity_rules.priorities,
    capacity_rules.quota,
    capacity_rules.release,
    config_rules.environment,
    config_rules.connections,
    config_rules.no_secrets,
]
_OF_THE_BASE = (workload_rules.complete, capacity_rules.quota, config_rules.no_secrets)
OVERLAY_RULES = [rule for rule in RULES if rule not in _OF_THE_BASE]


def plain() -> list[Manifest]:
    """The base as a release with every autoscaler that needs no other kinds: the largest one."""
    return _with_a_read_url(render_with(BASE, "autoscaling-prometheus", "release"))


def _with_a_read_url(objects: list[Manifest]) -> list[Manifest]:
    """As every overlay has one."""
    find(objects, "ConfigMap", "command-api")["data"]["READ_URL"] = "https://read.test"
    return objects


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_the_base_at_full_scale_keeps_each_policy(rule: Rule) -> None:
    assert list(rule(plain())) == []


@pytest.mark.parametrize(
    "components", [(), ("autoscaling-keda",), ("autoscaling-prometheus", "autoscaling-keda")]
)
def test_the_base_keeps_each_policy_whoever_owns_the_scale(components: tuple[str, ...]) -> None:
    """The quota is for the largest installation; KEDA's kind is no part of the base."""
    objects = _with_a_read_url(render_with(BASE, *components, "release"))
    rules = [rule for rule in RULES if rule not in (capacity_rules.quota, workload_rules.complete)]
    assert [complaint for rule in rules for complaint in rule(objects)] == []


@pytest.mark.parametrize("rule", [*OVERLAY_RULES, config_rules.secrets_exist], ids=lambda rule: rule.__name__)
def test_the_local_overlay_keeps_each_policy_and_makes_every_secret(rule: Rule) -> None:
    assert list(rule(render(LOCAL))) == []


@pytest.mark.parametrize(
    ("rule", "fault"), FAULTS, ids=[f"{rule.__name__}-{n}" for n, (rule, _) in enumerate(FAULTS)]
)
def test_each_policy_notices_a_fault(rule: Rule, fault: Fault) -> None:
    broken = plain()
    fault(broken)
    assert any(rule(broken))


def test_every_policy_has_a_fault_that_it_notices() -> None:
    assert {rule for rule, _ in FAULTS} == set(RULES)


def test_without_the_address_of_readers_the_base_would_not_start() -> None:
    """A made-up one would be in every Location, and nothing would say so."""
    assert list(config_rules.environment(render(BASE))) == ["command-api: READ_URL is not set"]


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
        "operator: REDIS_URL comes from no Secret",
        "verify: REDIS_URL comes from no Secret",
    ]  # fmt: skip
    assert list(config_rules.secrets_exist(unused)) == ["Secret redis: REDIS_PASSWORD is used by nobody"]
    assert len(list(config_rules.environment(wrong))) == 2


def test_a_kind_without_a_schema_is_no_silent_pass() -> None:
    for api_version, error in (
        ("example.org/v1", LookupError),
        ("v1", kubernetes_validate.SchemaNotFoundError),
    ):
        with pytest.raises(error):
            list(workload_rules.schema([{"apiVersion": api_version, "kind": "Widget"}]))


def test_the_local_overlay_fits_on_two_processors_with_its_servers_and_jobs() -> None:
    assert capacity_rules.needed_at_least(render(LOCAL))["cpu"] <= LOCAL_CPU_MAX


def test_mails_are_sent_with_the_file_of_a_secret_that_may_be_missing() -> None:
    objects = render(LOCAL)
    config = find(objects, "ConfigMap", "projector")["data"]
    config["SMTP_URL_FILE"] = f"{workload_rules.SECRETS}/SMTP_URL"
    assert list(config_rules.environment(objects)) == []
    config["SMTP_URL_FILE"] = f"{workload_rules.SECRETS}/SMTP"
    assert list(config_rules.environment(objects)) != []
