"""Reads the logs of the processes: critical lines are problems, errors are counted."""

import json
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

_EVENT_CHARACTERS_MAX = 90
_VARYING = re.compile(r"0x[0-9a-f]+|\d+")


def critical_lines(logs: Path) -> Iterator[str]:
    """What a process says when only an operator can help; no fault here asks for one."""
    for process, line in _lines(logs):
        if line.get("level") == "critical":
            yield f"{process} logged: {json.dumps(line, ensure_ascii=False)}"


def errors_logged(logs: Path) -> Counter[str]:
    """By kind of process and event without its numbers: outages, mostly."""
    counts: Counter[str] = Counter()
    for process, line in _lines(logs):
        if line.get("level") == "error":
            event = _VARYING.sub("N", str(line.get("event")).splitlines()[0])[:_EVENT_CHARACTERS_MAX]
            counts[f"{process.rsplit('-', 1)[0]}: {event}"] += 1
    return counts


def _lines(logs: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """A killed process may have left half a line."""
    for file in sorted(logs.glob("*-[12].log")):
        with file.open(errors="replace") as lines:
            for text in lines:
                try:
                    line = json.loads(text)
                except ValueError:
                    continue
                if isinstance(line, dict):
                    yield file.stem, line
