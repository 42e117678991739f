"""The short run of `make chaos`, with a fixed seed and every kind of fault."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.chaos.schedule import KINDS, PROCESSES, schedule
from tests.end_to_end.system import REPOSITORY

SEED, SECONDS, EVERY_SECONDS = 177, 45, 1.7
_SECONDS_MAX = 400


def test_the_short_run_has_every_kind_of_fault_and_breaks_every_kind_of_process() -> None:
    faults = schedule(SEED, SECONDS, list(KINDS), every_seconds=EVERY_SECONDS)
    assert {fault.kind for fault in faults} == set(KINDS)
    kinds_of_processes = {name.rsplit("-", 1)[0] for name in PROCESSES}
    assert {fault.target.rsplit("-", 1)[0] for fault in faults} >= kinds_of_processes


@pytest.mark.prove
@pytest.mark.servers
@pytest.mark.skipif(
    os.environ.get("TEST_SERVERS") == "containers", reason="its broker needs listeners behind proxies"
)
def test_nothing_is_lost_and_nothing_is_done_twice_in_a_short_storm(tmp_path: Path) -> None:
    arguments = [
        "--seed", SEED, "--seconds", SECONDS, "--every", EVERY_SECONDS, "--folder", tmp_path,
    ]  # fmt: skip
    run = subprocess.run(
        [sys.executable, "-m", "tests.chaos", *map(str, arguments)],
        cwd=REPOSITORY, capture_output=True, text=True, check=False, timeout=_SECONDS_MAX,
    )  # fmt: skip
    assert run.returncode == 0, run.stdout + run.stderr
    assert "nothing is lost, nothing was done twice" in run.stdout
