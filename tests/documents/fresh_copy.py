"""A copy of the repository as a reader has it after a clone and a first `make`, on ports of its own."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from deploy.local.ports import free_port
from deploy.local.settings import DEFAULT_PORTS
from tests.documents.console_blocks import REPOSITORY

# `make` would install again if one of these were younger than the mark of the installation.
_OLDER_THAN_THE_INSTALLATION = (
    "pyproject.toml",
    "uv.lock",
    "deploy/local/uv.txt",
    "deploy/local/bootstrap.sh",
)
# How long a read waits for its write. On a busy machine the first write of a stack takes its time.
_PATIENCE = {"WAIT_SECONDS_DEFAULT": "60", "WAIT_SECONDS_MAX": "60"}
_ADDRESS = re.compile(r"((?:127\.0\.0\.1|localhost):)(\d+)")
_OF_MAKE = ("MAKEFLAGS", "MAKELEVEL", "MFLAGS", "MAKEOVERRIDES", "MAKE_TERMERR", "MAKE_TERMOUT")

# What `make` and pytest have set for the interpreter of this test.
_OF_PYTHON = ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV")


class FreshCopy:
    """The files that are in git, with what is installed here as its `.venv`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._ports = {str(port): str(free_port()) for port in DEFAULT_PORTS.values()}
        self._fill()
        # curl shows its progress wherever it does not print to a terminal.
        (folder / ".local").mkdir()
        (folder / ".local" / ".curlrc").write_text("no-progress-meter\n")

    def _fill(self) -> None:
        _copy_sources(self.folder)
        (self.folder / ".venv").symlink_to(sys.prefix)
        for name in _OLDER_THAN_THE_INSTALLATION:
            os.utime(self.folder / name, (0, 0))

    @property
    def environment(self) -> dict[str, str]:
        """Ports of our own; otherwise as in the terminal of a reader."""
        own = {name: self._ports[str(port)] for name, port in DEFAULT_PORTS.items()}
        ours = {
            "PYTHONPATH": str(self.folder),
            "SHELL": "/bin/bash",
            "CURL_HOME": str(self.folder / ".local"),
        }
        ours["LOGNAME"] = "anna"  # the operator in the examples
        # Under `make test` a `make` of a page would speak as one that another started.
        outside = {name: value for name, value in os.environ.items() if name not in _OF_MAKE}
        return {**outside, **own, **_PATIENCE, **ours}

    def with_our_ports(self, command: str) -> str:
        """The command with the ports that are free here in place of those that the page names."""
        return _ADDRESS.sub(lambda found: found[1] + self._ports.get(found[2], found[2]), command)

    def with_the_pages_ports(self, printed: str) -> str:
        """The other way round, for what was printed."""
        pages_port = {ours: shown for shown, ours in self._ports.items()}
        return _ADDRESS.sub(lambda found: found[1] + pages_port.get(found[2], found[2]), printed)


class FreshClone(FreshCopy):
    """What is committed, as a new user gets it: nothing is installed, and nothing of ours is in the way."""

    def _fill(self) -> None:
        subprocess.run(["git", "clone", "--quiet", str(REPOSITORY), str(self.folder)], check=True)

    @property
    def environment(self) -> dict[str, str]:
        """Without the interpreter and the packages that run this test."""
        given = {name: value for name, value in super().environment.items() if name not in _OF_PYTHON}
        ours = str(Path(sys.prefix) / "bin")
        path = [place for place in given["PATH"].split(os.pathsep) if place != ours]
        return {**given, "PATH": os.pathsep.join(path)}

    def changed_files(self) -> list[str]:
        """What git would show to the user as theirs."""
        return subprocess.run(
            ["git", "status", "--porcelain"], cwd=self.folder, capture_output=True, text=True, check=True
        ).stdout.splitlines()


def _copy_sources(folder: Path) -> None:
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=REPOSITORY, capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    for name in filter(None, listed.split("\0")):
        if (REPOSITORY / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(REPOSITORY / name, folder / name)
