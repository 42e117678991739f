"""CI workflows and forms: `python -m deploy.workflows` and our own rules find what they are there for."""

import copy
import fnmatch
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from deploy.workflows.__main__ import ROOT, main, shell_scripts
from deploy.workflows.pins import unpinned
from tests.deploy import workflow_rules as rules

WORKFLOWS = {file.name: file for file in sorted((ROOT / ".github/workflows").glob("*.yml"))}


def _parsed(name: str) -> dict[Any, Any]:
    document: dict[Any, Any] = yaml.safe_load(WORKFLOWS[name].read_text())
    return document


@pytest.mark.parametrize("name", WORKFLOWS)
@pytest.mark.parametrize("rule", rules.RULES, ids=lambda rule: rule.__name__)
def test_each_workflow_keeps_each_rule(name: str, rule: rules.Rule) -> None:
    assert list(rule(_parsed(name))) == []


def _permit_all(workflow: Any) -> None:
    workflow["permissions"] = {"contents": "write"}


def _permit_by_default(workflow: Any) -> None:
    del workflow["jobs"]["test"]["permissions"]


def _run_for_ever(workflow: Any) -> None:
    del workflow["jobs"]["test"]["timeout-minutes"]


def _keep_the_token(workflow: Any) -> None:
    del workflow["jobs"]["test"]["steps"][0]["with"]["persist-credentials"]


def _write_a_script(workflow: Any) -> None:
    workflow["jobs"]["test"]["steps"][-1]["run"] = "pip install pytest && pytest"


def _write_more_after_it(workflow: Any) -> None:
    workflow["jobs"]["test"]["steps"][-1]["run"] = "make test\npytest\n"


def _pile_up(workflow: Any) -> None:
    del workflow["concurrency"]


def _follow_latest(workflow: Any) -> None:
    workflow["jobs"]["test"]["runs-on"] = "ubuntu-latest"


def _prove_without_an_engine(workflow: Any) -> None:
    workflow["jobs"]["test"]["steps"][-1]["run"] = ".ci/run test prove"


def _prove_everything_without_an_engine(workflow: Any) -> None:
    workflow["jobs"]["test"]["steps"][-1] = {"run": ".ci/run", "env": {"TEST_DOCKER": "0"}}


BREACHES: list[tuple[rules.Rule, Callable[[Any], None]]] = [
    (rules.nothing_is_permitted_to_all_jobs, _permit_all),
    (rules.nothing_is_permitted_to_all_jobs, _permit_by_default),
    (rules.each_job_has_an_end, _run_for_ever),
    (rules.no_token_stays_in_the_clone, _keep_the_token),
    (rules.a_desk_can_run_what_a_job_runs, _write_a_script),
    (rules.a_desk_can_run_what_a_job_runs, _write_more_after_it),
    (rules.runs_do_not_pile_up, _pile_up),
    (rules.the_runner_is_one_release_of_the_system, _follow_latest),
    (rules.who_proves_asks_for_the_container_engine, _prove_without_an_engine),
    (rules.who_proves_asks_for_the_container_engine, _prove_everything_without_an_engine),
]


@pytest.mark.parametrize(("rule", "breach"), BREACHES, ids=lambda each: each.__name__)
def test_a_breach_of_a_rule_is_noticed(rule: rules.Rule, breach: Callable[[Any], None]) -> None:
    workflow = copy.deepcopy(_parsed("ci.yml"))
    breach(workflow)
    assert [each.__name__ for each in rules.RULES if list(each(workflow))] == [rule.__name__]


def test_every_rule_was_seen_to_fail() -> None:
    assert {rule for rule, _ in BREACHES} == set(rules.RULES)


CHECKOUT = "actions/checkout@de0fac2e4500dabe0009e67214ff5f5447ce83dd # v6.0.2"


@pytest.mark.parametrize(
    ("uses", "complaint"),
    [
        (f"- uses: {CHECKOUT}", None),
        (f"- uses: {CHECKOUT}\n- uses: ./.github/actions/ours", None),
        ("- uses: actions/checkout@v6", "is not pinned"),
        ("- uses: actions/checkout@main # v6.0.2", "is not pinned"),
        ("- name: clone\n  uses: actions/checkout@de0fac2 # v6.0.2", "is not pinned"),
        (f"- uses: {CHECKOUT.split(' #')[0]}", "is not pinned"),
        (f"- uses: {CHECKOUT}\n- uses: {CHECKOUT.replace('v6.0.2', 'v6.0.1')}", "is called v6.0.2"),
        ("- run: make test", "has no workflow with an action"),
    ],
)
def test_an_action_that_is_not_pinned_is_noticed(tmp_path: Path, uses: str, complaint: str | None) -> None:
    (tmp_path / "workflows").mkdir()
    (tmp_path / "workflows/one.yml").write_text(f"{uses}\n")
    found = list(unpinned(tmp_path))
    assert found == [] if complaint is None else len(found) == 1 and complaint in found[0]


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A copy of what `python -m deploy.workflows` looks at, which a test may spoil."""
    shutil.copytree(ROOT / ".github", tmp_path / ".github")
    shutil.copytree(ROOT / ".ci", tmp_path / ".ci")
    subprocess.run(["git", "init", "--quiet", tmp_path], check=True)
    subprocess.run(["git", "-C", tmp_path, "add", "."], check=True)
    return tmp_path


def test_what_is_in_the_repository_passes(repository: Path) -> None:
    assert main(repository) == 0


@pytest.mark.parametrize(
    ("file", "text", "replacement", "says"),
    [
        (".github/workflows/ci.yml", "persist-credentials: false", "show-progress: false", "zizmor"),
        (".github/workflows/ci.yml", "permissions: {}", "permissions: write-all", "zizmor"),
        (".github/workflows/ci.yml", " .ci/run check", ' echo "${{ github.head_ref }}"', "zizmor"),
        (".github/workflows/ci.yml", "runs-on", "run-on", "check-jsonschema of workflows/*.yml"),
        (
            ".github/dependabot.yml",
            "interval: weekly",
            "interval: sometimes",
            "check-jsonschema of dependabot",
        ),
        (".github/dependabot.yml", "    cooldown: { default-days: 7 }\n", "", "zizmor"),
        (
            ".github/ISSUE_TEMPLATE/bug.yml",
            "type: textarea",
            "type: area",
            "check-jsonschema of ISSUE_TEMPLATE",
        ),
        (
            ".github/ISSUE_TEMPLATE/config.yml",
            "false",
            "perhaps",
            "check-jsonschema of ISSUE_TEMPLATE/config",
        ),
        (".github/workflows/ci.yml", " # v6.0.2", "", "is not pinned"),
        (".ci/run", 'make "$part"', "make $part", "shellcheck"),
    ],
)
def test_what_a_tool_is_there_for_is_noticed(
    repository: Path, capfd: pytest.CaptureFixture[str], file: str, text: str, replacement: str, says: str
) -> None:
    spoiled = repository / file
    assert text in spoiled.read_text()
    spoiled.write_text(spoiled.read_text().replace(text, replacement))
    assert main(repository) == 1
    assert says in capfd.readouterr().out


def _actionlint(monkeypatch: pytest.MonkeyPatch) -> None:
    done = subprocess.run([ROOT / ".ci/actionlint"], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        pytest.skip(f"actionlint cannot be had here: {done.stderr.strip()[-200:]}")
    monkeypatch.setenv("ACTIONLINT", done.stdout.strip().partition("=")[2])


def test_an_expression_that_means_nothing_is_noticed(
    repository: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    _actionlint(monkeypatch)
    assert main(repository) == 0
    workflow = repository / ".github/workflows/ci.yml"
    workflow.write_text(workflow.read_text().replace("matrix.python }}", "matrix.snake }}"))
    assert main(repository) == 1
    assert 'property "snake" is not defined' in capfd.readouterr().out


def test_without_actionlint_a_line_says_what_was_not_looked_at(
    repository: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ACTIONLINT", raising=False)
    monkeypatch.setattr(shutil, "which", lambda name: None)
    assert main(repository) == 0
    assert "actionlint is not here" in capfd.readouterr().out


def test_all_shell_scripts_are_looked_at() -> None:
    names = {file.relative_to(ROOT).as_posix() for file in shell_scripts(ROOT)}
    assert {".ci/run", ".ci/actionlint", ".githooks/pre-commit", "deploy/local/bootstrap.sh"} <= names


def _unowned(code_owners: str, files: list[str]) -> tuple[list[str], list[str]]:
    """The patterns that match no file, and the owners that are no team or person."""
    rows = [line.split() for line in code_owners.splitlines() if line and not line.startswith("#")]
    idle = [row[0] for row in rows if row[0] != "*" and not any(_matches(row[0], file) for file in files)]
    strange = [
        owner for row in rows for owner in row[1:] or ["nobody"] if not re.match(r"@[\w-]+(/[\w-]+)?$", owner)
    ]
    return idle, strange


def _matches(pattern: str, file: str) -> bool:
    path = f"/{file}"
    return path.startswith(pattern) if pattern.endswith("/") else fnmatch.fnmatch(path, pattern)


def test_code_owners_own_what_there_is() -> None:
    listed = subprocess.run(["git", "-C", ROOT, "ls-files"], check=True, capture_output=True, text=True)
    files = listed.stdout.splitlines()
    assert _unowned((ROOT / ".github/CODEOWNERS").read_text(), files) == ([], [])
    assert _unowned("* @us/all\n/gone/ @us/all\n/docs/ us\n/deploy/\n", files) == (
        ["/gone/"],
        ["us", "nobody"],
    )
