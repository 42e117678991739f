"""Where an operator's command writes.

It is an argument, so that a test runs the command inside its own process and reads what it wrote.
"""

import signal
import sys
from dataclasses import dataclass
from typing import TextIO


@dataclass(frozen=True, slots=True)
class Terminal:
    """Answers go to `output`, complaints and progress to `errors`.

    The stop signals end a command that can be resumed; a command inside another program has none.
    """

    output: TextIO
    errors: TextIO
    stop_signals: tuple[signal.Signals, ...] = ()

    def say(self, text: str) -> None:
        """Lines of the answer."""
        print(text, file=self.output)

    def complain(self, text: str) -> None:
        """Lines about what went wrong or how far it is; seen at once."""
        print(text, file=self.errors, flush=True)


def process_terminal() -> Terminal:
    """That of this process."""
    return Terminal(sys.stdout, sys.stderr, (signal.SIGINT, signal.SIGTERM))
