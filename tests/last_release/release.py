"""The last release as it was: its code and tests in a folder of their own, on the present migrations."""

import os
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path

# `make release` writes these two lines.
RELEASE = "0.2.0"
COMMIT = "26be3b27b4d4d6d73bccd00e1986c2372ca2470f"
ROOT = Path(__file__).parents[2]
MIGRATIONS = ("command_api/postgres/migrations", "projector/postgres/migrations")
STATEMENTS_TEST = "tests/integration/test_sql_files.py"
# Given to the release, because new roles are made before the migrations run. No tests: the present ones may
# import what the release does not have.
PRESENT_FILES = ("deploy/local/roles.sql",)
ACCEPTANCE_TESTS = (
    STATEMENTS_TEST,
    "tests/end_to_end/test_flows.py",
    "tests/end_to_end/test_counted_views.py",
    "tests/end_to_end/test_states_and_mails.py",
    "tests/end_to_end/test_import.py",
)
_RUN_SECONDS_MAX = 900
_RUNS_MAX = 3
_PORT_IS_TAKEN = "is already in use on 127.0.0.1"


class NoHistory(Exception):
    """These files do not have the last release in their history: nothing can be said about it here."""


def check_out(folder: Path, commit: str = COMMIT) -> None:
    """The files of a commit. Raises `NoHistory`."""
    if shutil.which("git") is None or not (ROOT / ".git").exists():
        raise NoHistory(f"{ROOT} is no git clone")
    archive = subprocess.run(["git", "-C", ROOT, "archive", commit], capture_output=True, check=False)
    if archive.returncode != 0:
        raise NoHistory(
            f"the last release, {commit}, is not in this clone; `git fetch --unshallow` fetches all commits"
        )
    with tarfile.open(fileobj=BytesIO(archive.stdout)) as files:
        files.extractall(folder, filter="data")
    for file in PRESENT_FILES:
        shutil.copy(ROOT / file, folder / file)


def bring_migrations(release: Path, present: Path = ROOT) -> None:
    """Add the migrations that run before the release's code is replaced; its own `migrate` applies them."""
    for folder in MIGRATIONS:
        own = {file.name for file in (release / folder).glob("*.sql")}
        now = {file.name: file for file in (present / folder).glob("*.sql")}
        edited = [name for name in own if now[name].read_bytes() != (release / folder / name).read_bytes()]
        assert not edited, f"released migrations were edited: {edited}"
        for name in run_before_deploy(now.keys() - own):
            shutil.copy(now[name], release / folder)


def run_before_deploy(unreleased: set[str]) -> list[str]:
    """The migrations of one deploy that the old code still meets, in order."""
    names = sorted(unreleased)
    before = [name for name in names if "_before_deploy_" in name]
    assert names[: len(before)] == before, (
        f"a release must come before the last of {names}: old code runs then"
    )
    return before


def run_tests(release: Path, tests: Sequence[str]) -> "subprocess.CompletedProcess[str]":
    """The release's tests by its own configuration, with servers of their own.

    Once more where a process met a taken port: the release looks for a free one, and another program may take
    it before the process listens. A release cannot be mended, and this race says nothing about the schema.
    """
    ours = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *tests]
    for _ in range(_RUNS_MAX):
        answer = subprocess.run(
            command, cwd=release, env=ours, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            check=False, timeout=_RUN_SECONDS_MAX,
        )  # fmt: skip
        if answer.returncode == 0 or _PORT_IS_TAKEN not in answer.stdout:
            break
    return answer
