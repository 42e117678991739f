"""A test run that is killed leaves nothing that the next one does not remove: real runs, killed (-9)."""

import json
import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests import run_folder
from tests.eventually import eventually_blocking
from tests.harness.runs import begin_run
from tests.run_folder import RunFolder, memory, sweep

# A paused server does not see the signal that its parent's death sends it. Nothing ends the program.
HANGS = """
import json, os, subprocess, sys, time
from pathlib import Path


def test_hangs(postgres_server, redis_server, pytestconfig, tmp_path):
    redis_server.pause()
    program = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], start_new_session=True)
    seen = {
        "worker": os.getpid(),
        "processes": [postgres_server.pid, redis_server.pid, program.pid],
        "folders": [str(postgres_server.data_dir.parent)],
        "lock": str(tmp_path.parent / ".lock"),
    }
    made = Path(__file__).with_name("made.json")
    made.with_suffix(".part").write_text(json.dumps(seen))
    made.with_suffix(".part").rename(made)
    time.sleep(600)
"""


@pytest.fixture
def hanging(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator["subprocess.Popen[bytes]"]:
    """A run in the middle of its test, with no worker or with one."""
    run = begin_run(tmp_path, HANGS, request.param)
    try:
        eventually_blocking(lambda: must_exist(tmp_path / "made.json"), 60)
        yield run
    finally:
        run.kill()
        run.wait()


@pytest.mark.servers
@pytest.mark.skipif(os.environ.get("TEST_SERVERS") == "containers", reason="an engine removes its containers")
@pytest.mark.parametrize(
    ("hanging", "victim"),
    [(0, "the run"), (1, "the run"), (1, "its worker")],
    indirect=["hanging"],
    ids=["a run without workers", "a run with a worker", "a worker"],
)
def test_the_next_run_removes_what_a_killed_one_has_left(
    hanging: "subprocess.Popen[bytes]", victim: str, tmp_path: Path
) -> None:
    made = json.loads((tmp_path / "made.json").read_text())
    segments = shared_memory_of(made["folders"])
    os.kill(hanging.pid if victim == "the run" else made["worker"], signal.SIGKILL)
    hanging.wait(60)

    def nothing_is_left() -> None:
        sweep()
        assert [pid for pid in made["processes"] if psutil.pid_exists(pid)] == []
        assert [folder for folder in made["folders"] if Path(folder).exists()] == []
        assert segments & all_shared_memory() == set()
        assert not Path(made["lock"]).exists()

    eventually_blocking(nothing_is_left)


def test_the_folder_of_a_run_that_lives_stays() -> None:
    claimed = RunFolder(memory())
    try:
        assert claimed.path not in sweep()
        assert claimed.path.is_dir()
    finally:
        claimed.close()
    assert not claimed.path.exists()


def test_two_runs_that_begin_together_do_not_both_remove_a_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second looks for folders while the first is still busy with one."""
    left = tmp_path / "product-catalogue-run-killed"
    left.mkdir()
    found_by: list[str] = []
    removed_by_second: list[Path] = []

    def sweep_meanwhile(folder: Path) -> None:
        found_by.append("the second run" if found_by else "the first run")
        if found_by == ["the first run"]:
            removed_by_second.extend(sweep([tmp_path]))

    monkeypatch.setattr(run_folder, "_kill_processes_of", sweep_meanwhile)
    assert sweep([tmp_path]) == [left]
    assert found_by == ["the first run"]
    assert removed_by_second == []
    assert not left.exists()


def must_exist(file: Path) -> None:
    log = file.with_name("run.log")
    assert file.exists(), log.read_text() if log.exists() else "no log yet"


def shared_memory_of(folders: list[str]) -> set[str]:
    """The segments of System V that the folders' databases hold."""
    pid_files = [file for folder in folders for file in Path(folder).glob("*/postmaster.pid")]
    return {file.read_text().splitlines()[6].split()[1] for file in pid_files}


def all_shared_memory() -> set[str]:
    """Linux has a list of all."""
    listed = Path("/proc/sysvipc/shm")
    return {line.split()[1] for line in listed.read_text().splitlines()[1:]} if listed.exists() else set()
