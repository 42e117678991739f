"""`make hooks`: a commit runs the checks of `make check`, and is refused where they fail."""

import os
import re
import shutil
import subprocess
from pathlib import Path

from tests.architecture.source_files import ROOT

_ANOTHER_REPOSITORYS = ("GIT_DIR", "GIT_INDEX_FILE", "GIT_WORK_TREE", "MAKEFLAGS", "MAKELEVEL", "MFLAGS")


def _run(folder: Path, *command: str) -> "subprocess.CompletedProcess[str]":
    kept = {name: value for name, value in os.environ.items() if name not in _ANOTHER_REPOSITORYS}
    who = {f"GIT_{role}_{part}": "x@x.test" for role in ("AUTHOR", "COMMITTER") for part in ("NAME", "EMAIL")}
    environment = {**kept, **who, "HOME": str(folder), "GIT_CONFIG_NOSYSTEM": "1"}
    return subprocess.run(command, cwd=folder, env=environment, check=False, capture_output=True, text=True)


def _head(repository: Path) -> str:
    return _run(repository, "git", "log", "--format=%s").stdout


def test_a_commit_is_refused_while_the_checks_fail(tmp_path: Path) -> None:
    shutil.copytree(ROOT / ".githooks", tmp_path / ".githooks")
    # The real way in, with checks that a file decides in place of the real ones.
    hooks = (ROOT / "Makefile").read_text().split("\nhooks:")[1].split("\n\n")[0]
    (tmp_path / "Makefile").write_text(f"check:\n\t@test ! -e broken\n\nhooks:{hooks}\n")
    assert _run(tmp_path, "git", "init", "--quiet").returncode == 0
    assert _run(tmp_path, "make", "hooks").returncode == 0
    assert _run(tmp_path, "git", "add", "--all").returncode == 0
    (tmp_path / "broken").touch()
    assert _run(tmp_path, "git", "commit", "--quiet", "-m", "first").returncode != 0
    (tmp_path / "broken").unlink()
    (tmp_path / "Makefile").write_text((tmp_path / "Makefile").read_text() + "\n")
    accepted = _run(tmp_path, "git", "commit", "--quiet", "-m", "second")
    assert (accepted.returncode, "some changes are not staged" in accepted.stderr) == (0, True), (
        accepted.stderr
    )
    assert _head(tmp_path) == "second\n"


def test_the_hook_runs_what_ci_runs() -> None:
    assert "\nexec make --no-print-directory check\n" in (ROOT / ".githooks" / "pre-commit").read_text()
    assert re.search(r"^ +make check$", (ROOT / ".ci" / "run").read_text(), re.MULTILINE)
