"""The last lines of all servers and processes in the report of a failed test, so that it names its cause."""

import os
import time
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest

_LINES_MAX, _BYTES_MAX = 25, 16_384
_BEGAN = pytest.StashKey[float]()
LOG_FOLDERS = pytest.StashKey[list[Path]]()
"""Where this worker's servers, and the processes of its tests, write their logs."""


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """A log that was not written to since then has nothing to say about this test."""
    item.stash[_BEGAN] = time.time()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Adds a section for each log."""
    report = yield
    if report.failed:
        report.sections += _tails(item.config.stash.get(LOG_FOLDERS, []), item.stash.get(_BEGAN, 0.0))
    return report


def _tails(folders: list[Path], began: float) -> Iterator[tuple[str, str]]:
    # `os.walk` goes on where a folder vanishes meanwhile; `rglob` raises.
    logs = {
        Path(parent, name)
        for folder in folders
        for parent, _, names in os.walk(folder)
        for name in names
        if name.endswith(".log")
    }
    for log in sorted(logs, key=lambda log: (log.parent, log.name)):
        try:
            if log.stat().st_mtime < began:
                continue
            text = log.read_bytes()[-_BYTES_MAX:]
        except OSError:  # a test may remove its own
            continue
        if text and b"\0" not in text:  # a broker's records are called .log, too
            lines = text.decode(errors="replace").splitlines()[-_LINES_MAX:]
            yield f"the last lines of {log}", "\n".join(lines)
