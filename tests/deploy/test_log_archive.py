"""The component that archives the log: its job keeps the policies of ours, and has what its command needs."""

import copy
from functools import cache
from pathlib import Path

import pytest
import yaml

from command_api.archive.settings import ArchiveSettings
from command_api.command_line import command_parser
from tests.deploy import capacity_rules, config_rules, job_rules, network_rules, workload_rules
from tests.deploy.components import FOLDER, rendered_with
from tests.deploy.config_rules import environments
from tests.deploy.copies import add_overlay, copied
from tests.deploy.kustomization import Manifest, find, render
from tests.deploy.mounted_secrets import secret_files
from tests.deploy.network_rules import Peer, workloads
from tests.deploy.rules import Fault, Rule

NAME = "archive-log"
_PAGE = (FOLDER / "README.md").read_text()
RULES: list[Rule] = [
    workload_rules.schema,
    workload_rules.resources,
    workload_rules.security,
    workload_rules.images,
    workload_rules.grace,
    job_rules.schedules,
    capacity_rules.priorities,
    capacity_rules.quota,
    capacity_rules.release,
    config_rules.environment,
    network_rules.names,
    network_rules.servers,
    network_rules.outside,
]


@cache
def _once() -> list[Manifest]:
    return rendered_with("network-policies", "log-archive", "cloudnative-pg")


def _job(objects: list[Manifest]) -> Manifest:
    job: Manifest = find(objects, "CronJob", NAME)["spec"]["jobTemplate"]["spec"]
    return job


def _container(objects: list[Manifest]) -> Manifest:
    container: Manifest = _job(objects)["template"]["spec"]["containers"][0]
    return container


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_it_keeps_each_policy(rule: Rule) -> None:
    """The base names no address of readers: what the rules say of others is for `test_kubernetes.py`."""
    assert [complaint for complaint in rule(_once()) if "archive" in complaint] == []


FAULTS: list[tuple[Rule, Fault]] = [
    (workload_rules.security, lambda o: _container(o)["volumeMounts"][1].update(mountPath="/other")),
    (workload_rules.images, lambda o: _container(o).update(image="product-catalogue/projector:1")),
    (workload_rules.grace, lambda o: _job(o)["template"]["spec"].update(terminationGracePeriodSeconds=20)),
    (job_rules.schedules, lambda o: find(o, "CronJob", NAME)["spec"].pop("concurrencyPolicy")),
    (job_rules.schedules, lambda o: _job(o).pop("podFailurePolicy")),
    (capacity_rules.priorities, lambda o: _job(o)["template"]["spec"].pop("priorityClassName")),
    (
        capacity_rules.release,
        lambda o: _job(o)["template"]["metadata"]["labels"].pop("app.kubernetes.io/version"),
    ),
    (config_rules.environment, lambda o: _container(o)["env"].pop(0)),
    (config_rules.environment, lambda o: _container(o)["env"][1].update(name="ARCHIVE_FOLDER")),
    (
        network_rules.servers,
        lambda o: _job(o)["template"]["metadata"]["labels"].pop("app.kubernetes.io/part-of"),
    ),
]


@pytest.mark.parametrize(("rule", "fault"), FAULTS, ids=[rule.__name__ for rule, _ in FAULTS])
def test_a_fault_of_it_is_noticed(rule: Rule, fault: Fault) -> None:
    broken = copy.deepcopy(_once())
    fault(broken)
    assert any(NAME in complaint for complaint in rule(broken))


def test_the_settings_take_its_environment_and_the_files_go_to_its_volume(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for variable, value in environments(_once())[NAME].items():
        if value:
            monkeypatch.setenv(variable, value)
    folder = str(ArchiveSettings(_env_file=None).log_archive_folder)  # type: ignore[call-arg]  # this machine's
    (volume,) = (one["name"] for one in _container(_once())["volumeMounts"] if one["mountPath"] == folder)
    (claim,) = (
        one["persistentVolumeClaim"]["claimName"]
        for one in _job(_once())["template"]["spec"]["volumes"]
        if one["name"] == volume
    )
    assert find(_once(), "PersistentVolumeClaim", claim)["spec"]["accessModes"] == ["ReadWriteOnce"]


def test_it_only_copies_and_says_who_has_asked_for_it() -> None:
    given = command_parser().parse_args(_container(_once())["args"])
    assert (given.command, given.remove, given.folder) == (NAME, False, None)
    assert given.acting_as == "cron job archive-log"
    assert given.reason == "every week"


def test_it_connects_as_the_owner_and_checks_the_authority_of_the_database() -> None:
    files = {file.path: (file.secret, file.key) for file in secret_files(_job(_once())["template"])}
    assert files["/run/secrets/catalogue/EVENT_STORE_MIGRATE_DSN"] == (
        "event-store-owner", "EVENT_STORE_MIGRATE_DSN",
    )  # fmt: skip
    assert files["/run/secrets/postgresql/event-store.crt"] == ("event-store-ca", "ca.crt")


def test_postgresql_lets_it_in() -> None:
    (pods,) = (one for one in workloads(_once()) if one.name == NAME)
    database = network_rules.Pods("database", {"cnpg.io/cluster": "event-store"}, {}, frozenset())
    assert network_rules.allows(_once(), "ingress", database, Peer(labels=pods.labels), 5432)


def test_the_patch_of_the_page_makes_it_remove(tmp_path: Path) -> None:
    text = _PAGE.partition("\n## Archive of the log\n")[2].partition("```yaml\n")[2].partition("```")[0]
    copy = copied(tmp_path / "copy", {})
    overlay = copy / "overlays" / add_overlay(copy, ("release",))
    patched = yaml.safe_load((overlay / "kustomization.yaml").read_text()) | yaml.safe_load(text)
    (overlay / "kustomization.yaml").write_text(yaml.safe_dump(patched))
    objects = render(overlay)
    assert command_parser().parse_args(_container(objects)["args"]).remove
    assert not any(NAME in complaint for complaint in config_rules.environment(objects))
    assert environments(objects)[NAME]["LOG_ARCHIVE_DELETED_DAYS_MIN"] == "730"
