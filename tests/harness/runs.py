"""Test runs inside a test: real ones, with the fixtures and hooks of this repository."""

import os
import subprocess
import sys
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]


def begin_run(folder: Path, tests: str, workers: int) -> "subprocess.Popen[bytes]":
    """Run these tests; what pytest prints goes to `run.log` in the folder."""
    (folder / "test_inner.py").write_text(tests)
    arguments = ["-c", REPOSITORY / "pyproject.toml", "--rootdir", folder, "-p", "tests.conftest"]
    arguments += ["-p", "no:cacheprovider", "-n", str(workers), "test_inner.py"]
    with (folder / "run.log").open("wb") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "pytest", *arguments],
            cwd=folder, env={**os.environ, "PYTHONPATH": str(REPOSITORY)}, stdout=log, stderr=log,
        )  # fmt: skip
