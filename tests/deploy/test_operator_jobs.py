"""What an operator does by a Job: the lines of our pages make the right one, and it has what it needs."""

import shlex
from collections.abc import Mapping
from urllib.parse import urlsplit

import pytest

from command_api.command_line import command_parser
from projector.operators.command_line.commands import projector_parser
from shared.ops.development import unfit_elsewhere
from tests.deploy import capacity_rules, workload_rules
from tests.deploy.components import rendered_with
from tests.deploy.config_rules import environments
from tests.deploy.kustomization import KUSTOMIZE, Manifest, find, render
from tests.deploy.mounted_secrets import secret_files
from tests.deploy.operator_jobs import Typed, made, typed
from tests.deploy.processes import ON_DEMAND
from tests.documents.console_blocks import commands, shell_blocks

LOCAL, PRODUCTION = KUSTOMIZE / "overlays" / "local", KUSTOMIZE / "overlays" / "production"
PARSERS = {"projector": projector_parser, "command-api": command_parser}
LINES = list(typed())
BY_JOB = {one.job: one for one in LINES}
DRILL = KUSTOMIZE / "components" / "README.md"


def objects_for(one: Typed) -> list[Manifest]:
    """Of an installation that has its CronJob."""
    return rendered_with("log-archive") if one.cron_job == "archive-log" else render(PRODUCTION)


def container_of(job: Manifest) -> Manifest:
    container: Manifest = job["spec"]["template"]["spec"]["containers"][0]
    return container


def test_the_pages_say_how_to_break_the_glass_rebuild_replay_verify_a_restore_and_restore_the_log() -> None:
    assert {one.job: one.cron_job for one in LINES} == {
        "pause-inventory": "operator",
        "rebuild-product-view": "operator",
        "replay-prices": "replay",
        "restore-log": "archive-log",
        "verify-restored": "verify",
    }


@pytest.mark.parametrize("one", LINES, ids=lambda one: one.job)
def test_what_is_typed_makes_a_job_that_the_cluster_and_the_command_understand(one: Typed) -> None:
    job = made(one, objects_for(one))
    container = container_of(job)
    for rule in (workload_rules.schema, workload_rules.resources):
        assert list(rule([job])) == []
    image = container["image"].partition(":")[0].removeprefix("product-catalogue/")
    args = container["args"]
    assert PARSERS[image]().parse_args(args).command == args[0]
    assert args != container_of(_unchanged(one))["args"], "the patch has changed nothing"


def _unchanged(one: Typed) -> Manifest:
    job: Manifest = find(objects_for(one), "CronJob", one.cron_job)["spec"]["jobTemplate"]
    return job


@pytest.mark.parametrize("name", ON_DEMAND)
def test_the_settings_accept_the_environment_of_a_job_and_ask_for_no_token(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a container, where nothing may be left to a default that is for one machine."""
    for variable, value in environments(render(LOCAL))[name].items():
        monkeypatch.setenv(variable, value)
    monkeypatch.setenv("LISTEN_HOST", "0.0.0.0")
    settings = ON_DEMAND[name](_env_file=None)  # type: ignore[call-arg]  # what is set on this machine
    assert not settings.has_access_control
    assert list(unfit_elsewhere(settings, settings.listen_host, settings.unused_fields)) == []


@pytest.mark.parametrize("name", ON_DEMAND)
def test_what_an_overlay_sets_for_a_process_holds_for_its_jobs_too(name: str) -> None:
    """But for access control: nobody has to remember to set it twice."""
    given, process = environments(render(PRODUCTION)), {"operator": "projector", "replay": "relay"}[name]
    shared = {key: value for key, value in _of_the_config(process).items() if not key.startswith("AUTH_")}
    if name == "replay":
        shared["KAFKA_SASL_USER"] = "replay"
    assert shared["KAFKA_SECURITY_PROTOCOL"] == "SASL_SSL"
    assert {key: given[name].get(key) for key in shared} == shared


def _of_the_config(process: str) -> Mapping[str, str]:
    data: Mapping[str, str] = find(render(PRODUCTION), "ConfigMap", process)["data"]
    return data


def test_a_restored_database_is_reached_with_its_own_address_and_authority() -> None:
    """The addresses come from those of the running databases, by the line of the page."""
    job = made(BY_JOB["verify-restored"], render(PRODUCTION))
    files = {file.path: (file.secret, file.key) for file in secret_files(job["spec"]["template"])}
    restored = {one["metadata"]["name"] for one in render(KUSTOMIZE / "restore-drill")}
    for running in ("event-store", "read-model"):
        assert f"{running}-restored" in restored
        assert files[f"/run/secrets/postgresql/{running}.crt"] == (f"{running}-restored-ca", "ca.crt")
    for setting, secret in (
        ("EVENT_STORE_READ_DSN", "event-store-reader"),
        ("READ_MODEL_DSN", "read-model-projector"),
    ):
        assert files[f"/run/secrets/catalogue/{setting}"] == ("restored", setting)
        assert f"get secret {secret} " in _making_of_the_secret()
    assert {secret for secret, _ in files.values()} & {"event-store-ca", "read-model-ca"} == set()


@pytest.mark.parametrize("name", ["event-store", "read-model"])
def test_the_line_of_the_page_turns_an_address_of_the_page_into_that_of_the_restored_database(
    name: str,
) -> None:
    page = DRILL.read_text()
    (address,) = {
        line for line in page.splitlines() if line.startswith("postgresql://") and f"@{name}-rw/" in line
    }
    words = shlex.split(_making_of_the_secret().replace("<(", " ").replace(")", " "))
    (script,) = (word for word in words if word.startswith(f"s/@{name}-rw/"))
    _, old, new, _ = script.split("/")
    assert urlsplit(address.replace(old, new)).hostname == f"{name}-restored-rw"


def _making_of_the_secret() -> str:
    (text,) = (
        command.text
        for block in shell_blocks(DRILL)
        for command in commands(block)
        if "create secret generic restored" in command.text
    )
    return text


def test_jobs_of_an_operator_count_at_full_scale_and_not_without_anybody_who_makes_them() -> None:
    objects = render(LOCAL)
    without = [one for one in objects if one["metadata"]["name"] not in ON_DEMAND]
    most, fewest = capacity_rules.needed_at_most(objects), capacity_rules.needed_at_least(objects)
    assert most["pods"] == capacity_rules.needed_at_most(without)["pods"] + len(ON_DEMAND)
    assert fewest == capacity_rules.needed_at_least(without)
