"""The end of each program: who interrupts it, or closes the pipe that it writes to, gets no traceback.

Every `__main__` ends with `end_with(main)`. Exit codes are those that shells report for the signals.
"""

import os
import signal
import sys
from collections.abc import Callable
from typing import NoReturn

_EXIT_INTERRUPTED = 128 + signal.SIGINT
CODES_OF_SIGNALS = "130 interrupted by Ctrl-C, 143 stopped by SIGTERM"
_EXIT_READER_GONE = 128 + signal.SIGPIPE


def end_with(main: Callable[[], int]) -> NoReturn:
    """Run `main` and end the process with its exit code; 130 after Ctrl-C, 141 after `| head`."""
    try:
        try:
            code = main()
        finally:
            sys.stdout.flush()
    except KeyboardInterrupt:
        code = _EXIT_INTERRUPTED
        print("interrupted", file=sys.stderr)  # noqa: T201
    except BrokenPipeError:
        # The buffered rest would be an error at the interpreter's end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = _EXIT_READER_GONE
    sys.exit(code)
