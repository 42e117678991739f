"""Progress of long work on stderr: a bar with rate and time left for people, JSON lines for programs."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tqdm import tqdm

from projector.rebuild.rebuild import Reporter
from shared.ops.terminal import Terminal

_UNITS_PER_LINE = 50_000


@contextmanager
def progress(terminal: Terminal, *, as_json: bool, unit: str = "events") -> Iterator[Reporter]:
    """Shows progress until the end of the block."""
    if as_json:
        lines = _Lines(terminal, unit)
        yield Reporter(lines.phase, lines.events, lines.total)
        return
    bar = _Bar(terminal, unit)
    try:
        yield Reporter(bar.phase, bar.events, bar.total)
    finally:
        bar.close()


class _Bar:
    """If stderr is no terminal, only the phases are printed."""

    def __init__(self, terminal: Terminal, unit: str) -> None:
        self._errors = terminal.errors
        self._bar: tqdm[Any] = tqdm(
            file=terminal.errors, unit=f" {unit}", unit_scale=True, disable=None, smoothing=0.1
        )

    def phase(self, name: str, detail: str) -> None:
        self._bar.set_description(name)
        tqdm.write(f"{name}: {detail}" if detail else name, file=self._errors)

    def events(self, more: int) -> None:
        self._bar.update(more)

    def total(self, events: int) -> None:
        self._bar.reset(total=events)

    def close(self) -> None:
        self._bar.close()


class _Lines:
    """A line for each phase, and one for each `_UNITS_PER_LINE`."""

    def __init__(self, terminal: Terminal, unit: str) -> None:
        self._terminal = terminal
        self._unit = unit
        self._phase = ""
        self._done = self._shown = self._total = 0

    def phase(self, name: str, _: str) -> None:
        self._phase = name
        self._tell()

    def events(self, more: int) -> None:
        self._done += more
        if self._done - self._shown >= _UNITS_PER_LINE:
            self._tell()

    def total(self, events: int) -> None:
        self._total = events
        self._tell()

    def _tell(self) -> None:
        self._shown = self._done
        line = {"phase": self._phase, self._unit: self._done, "total": self._total}
        self._terminal.complain(json.dumps(line))
