"""The output of an operator's command.

It is an argument, so that a test can run the command in its own process and read the output.
"""

import sys
from dataclasses import dataclass
from typing import TextIO


@dataclass(frozen=True, slots=True)
class Terminal:
    """Results go to `output`, errors and progress to `errors`."""

    output: TextIO
    errors: TextIO

    def say(self, text: str) -> None:
        """Print lines of the result."""
        print(text, file=self.output)

    def complain(self, text: str) -> None:
        """Print lines about errors or progress; they are visible at once."""
        print(text, file=self.errors, flush=True)


def process_terminal() -> Terminal:
    """The terminal of this process."""
    return Terminal(sys.stdout, sys.stderr)
