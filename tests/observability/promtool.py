"""Where promtool and Prometheus are, and a run of promtool's unit tests.

Debian has both in its package `prometheus`; PyPI has neither. `.ci/run` gets them and sets PROMTOOL and
PROMETHEUS, so that there no test is skipped: with the variable set, an absent program is a failure.
"""

import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml


def program(name: str) -> str:
    """The path of `promtool` or `prometheus`; skips the test if this machine has none."""
    wanted = os.environ.get(name.upper())
    found = shutil.which(wanted or name)
    if found is None and wanted is None:
        pytest.skip(
            f"{name} is not on PATH (Debian: apt-get install prometheus), and {name.upper()} is not set"
        )
    assert found is not None, f"{name.upper()} names no program: {wanted}"
    return found


def promtool(*arguments: str | Path) -> str:
    """Runs it, and returns what it wrote; a failure is an AssertionError with that text."""
    ended = subprocess.run(
        [program("promtool"), *map(str, arguments)], capture_output=True, text=True, check=False, timeout=300
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout + ended.stderr


def run_rule_tests(folder: Path, document: dict[str, Any]) -> None:
    """Runs the unit tests that the document describes."""
    file = folder / "rules_test.yml"
    file.write_text(yaml.safe_dump(document, sort_keys=False))
    promtool("test", "rules", file)
