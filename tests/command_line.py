"""A command line inside the test's process: real parser, settings, texts and exit code, without a start."""

import io
from collections.abc import Awaitable, Callable, Mapping
from contextlib import redirect_stderr, redirect_stdout
from typing import NamedTuple, TypeVar

import pytest

from shared.ops.terminal import Terminal

T = TypeVar("T")


class Ended(NamedTuple):
    """What the command left behind."""

    code: int
    output: str
    errors: str


async def run_in_process(
    environment: Mapping[str, str], read: Callable[[], T], act: Callable[[T, Terminal], Awaitable[int]]
) -> Ended:
    """`read` parses the arguments and the environment, and may refuse them; `act` does what they ask for."""
    output, errors = io.StringIO(), io.StringIO()
    try:
        # Nothing is awaited here, so nobody else sees this environment or writes to these streams.
        with redirect_stdout(output), redirect_stderr(errors), pytest.MonkeyPatch.context() as patched:
            for name, value in environment.items():
                patched.setenv(name, value)
            wanted = read()
    except SystemExit as refused:
        return Ended(int(refused.code or 0), output.getvalue(), errors.getvalue())
    code = await act(wanted, Terminal(output, errors))
    return Ended(code, output.getvalue(), errors.getvalue())
