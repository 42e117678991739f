"""What a failed start shows of the log, which has the lines of earlier processes, too."""

from pathlib import Path

import pytest

from deploy.local.errors import StartFailed
from deploy.local.server import Command, Server


class Ends(Server):
    says = ""

    def command(self) -> Command:
        return Command(["/bin/sh", "-c", f"echo {self.says}; exit 1"])

    def is_ready(self) -> bool:
        return False


def test_a_failed_start_shows_the_lines_of_its_own_process(tmp_path: Path) -> None:
    for says in ("the disk is full", "the port is taken"):
        server = Ends("one", tmp_path / "one.log")
        server.says = says
        with pytest.raises(StartFailed) as failed:
            server.start()
    assert str(failed.value) == (
        f"one ended with exit code 1.\n    the port is taken\n    (log: {tmp_path / 'one.log'})"
    )
