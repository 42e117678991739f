"""A failed test shows what its servers and processes have said."""

import os
from pathlib import Path

import pytest

from tests.harness.runs import begin_run

FAILS = """
def test_fails(redis_server, tmp_path):
    (tmp_path / "process.log").write_text("the process ended because of its cause")
    (tmp_path / "records.log").write_bytes(bytes(100))
    raise AssertionError


def test_passes(tmp_path):
    (tmp_path / "other.log").write_text("nobody asks for this")
"""


@pytest.mark.servers
@pytest.mark.skipif(
    os.environ.get("TEST_SERVERS") == "containers", reason="an engine keeps its servers' logs"
)
@pytest.mark.parametrize("workers", [0, 1])
def test_a_failed_test_shows_the_last_lines_of_its_servers_and_processes(
    tmp_path: Path, workers: int
) -> None:
    run = begin_run(tmp_path, FAILS, workers)
    try:
        run.wait(60)
    finally:
        run.kill()
    said = (tmp_path / "run.log").read_text()
    assert "1 failed, 1 passed" in said
    assert "the process ended because of its cause" in said
    assert "Ready to accept connections" in said
    assert not any("records.log" in line for line in said.splitlines() if "the last lines of" in line)
    assert "nobody asks for this" not in said
