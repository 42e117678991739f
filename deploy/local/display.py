"""Shows the progress: one line, refreshed in place, on a terminal; one line per change in a file."""

import re
import shutil
import sys
import threading
from collections.abc import Callable


class Display:
    """The state of every part, by name. Thread-safe: parts start in parallel."""

    def __init__(self) -> None:
        self._states: dict[str, str] = {}
        self._shown = ""
        self._lock = threading.Lock()
        self._is_terminal = sys.stdout.isatty()

    def progress_of(self, name: str) -> Callable[[str], None]:
        """A callback that shows the state of one part."""

        def report(state: str) -> None:
            with self._lock:
                if not self._is_terminal:  # in a file, new seconds alone are not a change
                    state = re.sub(r" ?\(?\d+ s\)?", "", state)
                    if self._states.get(name) != state:
                        _write(f"{name}: {state}\n")
                    self._states[name] = state
                    return
                self._states[name] = state
                self._refresh(" | ".join(f"{part}: {now}" for part, now in self._states.items()))

        return report

    def begin(self) -> None:
        """Begin a new phase: forget the parts of the previous one."""
        with self._lock:
            self._end_line()
            self._states.clear()

    def status(self, line: str) -> None:
        """Replace the one-line status."""
        with self._lock:
            self._refresh(line)

    def say(self, text: str) -> None:
        """A message that stays."""
        with self._lock:
            self._end_line()
            _write(text + "\n")

    def _refresh(self, line: str) -> None:
        if self._is_terminal:
            width = shutil.get_terminal_size().columns - 1
            if line != self._shown:
                _write(f"\r\x1b[K{line[:width]}")
        elif line != self._shown:
            _write(line + "\n")
        self._shown = line

    def _end_line(self) -> None:
        if self._is_terminal and self._shown:
            _write("\n")
        self._shown = ""


def _write(text: str) -> None:
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except OSError:  # the terminal was closed: its signal (SIGHUP) stops the stack in order
        return
