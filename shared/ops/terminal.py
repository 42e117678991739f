"""The output of an operator's command.

It is an argument, so that a test can run the command in its own process and read the output.
"""

import signal
import sys
from dataclasses import dataclass
from typing import TextIO


@dataclass(frozen=True, slots=True)
class Terminal:
    """Results go to `output`, errors and progress to `errors`.

    The stop signals end a command that can be resumed; a command inside another program has none.
    """

    output: TextIO
    errors: TextIO
    stop_signals: tuple[signal.Signals, ...] = ()

    def say(self, text: str) -> None:
        """Print lines of the result."""
        print(text, file=self.output)

    def complain(self, text: str) -> None:
        """Print lines about errors or progress; they are visible at once."""
        print(text, file=self.errors, flush=True)


def process_terminal() -> Terminal:
    """The terminal of this process."""
    return Terminal(sys.stdout, sys.stderr, (signal.SIGINT, signal.SIGTERM))
