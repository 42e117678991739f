"""The end of the log of a process, for an error message. Earlier processes wrote into the same file."""

from pathlib import Path

_LINES_MAX = 15


def log_tail(file: Path, begins_at: int) -> str:
    """Its last lines, indented, of those after `begins_at` bytes; empty if there is no log."""
    try:
        with file.open("rb") as log:
            log.seek(begins_at)
            written = log.read()
    except FileNotFoundError:
        return ""
    lines = written.decode(errors="replace").splitlines()[-_LINES_MAX:]
    return "".join(f"\n    {line}" for line in [*lines, f"(log: {file})"])
