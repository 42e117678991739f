"""Rules of CI workflows that no linter has: each takes a parsed workflow, and says each breach."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

Workflow = Mapping[Any, Any]
Rule = Callable[[Workflow], Iterator[str]]
_JOB_MINUTES_MAX = 240
# What a job may run: what a desk runs as well. Everything else belongs into one of these.
_COMMANDS = (".ci/", "make ")


def _steps(workflow: Workflow) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for name, job in workflow["jobs"].items():
        for step in job["steps"]:
            yield name, step


def nothing_is_permitted_to_all_jobs(workflow: Workflow) -> Iterator[str]:
    """A permission belongs to the job that needs it."""
    if workflow.get("permissions") != {}:
        yield f"permissions of the workflow are {workflow.get('permissions')}"
    for name, job in workflow["jobs"].items():
        if not isinstance(job.get("permissions"), dict):
            yield f"{name} does not list its permissions"


def each_job_has_an_end(workflow: Workflow) -> Iterator[str]:
    """Without it a hanging job costs six hours."""
    for name, job in workflow["jobs"].items():
        if not 0 < job.get("timeout-minutes", 0) <= _JOB_MINUTES_MAX:
            yield f"{name} has no timeout-minutes up to {_JOB_MINUTES_MAX}"


def no_token_stays_in_the_clone(workflow: Workflow) -> Iterator[str]:
    """Any later step, and what a test writes into its logs, could read it in .git/config."""
    for name, step in _steps(workflow):
        if "actions/checkout@" in step.get("uses", "") and (
            step.get("with", {}).get("persist-credentials") is not False
        ):
            yield f"{name} keeps the credentials of its checkout"


def a_desk_can_run_what_a_job_runs(workflow: Workflow) -> Iterator[str]:
    """One command of the repository, no script inside the workflow."""
    for name, step in _steps(workflow):
        command = step.get("run", ".ci/")
        if not command.startswith(_COMMANDS) or "\n" in command.strip():
            yield f"{name} runs {command!r}"


def runs_do_not_pile_up(workflow: Workflow) -> Iterator[str]:
    """One run of a branch, of a night, of a release at a time."""
    if "group" not in workflow.get("concurrency", {}):
        yield "there is no concurrency group"


def the_runner_is_one_release_of_the_system(workflow: Workflow) -> Iterator[str]:
    """`latest` changes on a day that nobody here chooses."""
    for name, job in workflow["jobs"].items():
        if job.get("runs-on") != "ubuntu-24.04":
            yield f"{name} runs on {job.get('runs-on')}"


def who_proves_asks_for_the_container_engine(workflow: Workflow) -> Iterator[str]:
    """Without TEST_DOCKER the tests of images and compose are skipped, and nobody notices."""
    for name, step in _steps(workflow):
        program, *parts = step.get("run", "none").split()
        proves = "prove" in parts or (program == ".ci/run" and not parts)
        if proves and step.get("env", {}).get("TEST_DOCKER") != "1":
            yield f"{name} runs {step['run']!r} without TEST_DOCKER"


RULES: tuple[Rule, ...] = (
    nothing_is_permitted_to_all_jobs,
    each_job_has_an_end,
    no_token_stays_in_the_clone,
    a_desk_can_run_what_a_job_runs,
    runs_do_not_pile_up,
    the_runner_is_one_release_of_the_system,
    who_proves_asks_for_the_container_engine,
)
