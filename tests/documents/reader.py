"""Somebody who types each command of a page, in order, and compares what is printed with what the page shows."""

import re
from collections.abc import Mapping
from pathlib import Path

from tests.documents.console_blocks import REPOSITORY, Command, commands, shell_blocks
from tests.documents.fresh_copy import FreshCopy
from tests.documents.shown_output import Examples
from tests.documents.terminal import RunningStack, Terminal
from tests.eventually import eventually_blocking

_READY_SECONDS_MAX = 240
_COMMAND_SECONDS_MAX = 300
_LOOK_SECONDS_MAX = 90
_MAKE_UP = re.compile(r"make up\b")
# What changes nothing may be typed again until the system has come to show it: a view follows its log.
_LOOK = re.compile(
    r"python -m projector (?:\w+ )?(?:status|verify|audit|dead-letters (?:list|show))"
    r"|curl (?![\s\S]*(?: -d | -X|--data|-T ))|make status|cat |ls |grep |psql [^\n]*-c \"SELECT"
)


class PageIsWrong(AssertionError):
    """A command of a page fails, or prints something else than the page shows."""


class Reader:
    """Reads pages one after the other, each in a new terminal. A stack runs on until another one is wanted."""

    def __init__(self, copy: FreshCopy) -> None:
        self._copy = copy
        self._stack: RunningStack | None = None

    def start(self, options: str) -> None:
        """`make up` with these options, as the page before has started it."""
        command = f"make up ARGS='{options}'" if options else "make up"
        self._make_up(Command(command, 0, ["...", "Ready after 1 s. Ctrl-C stops everything.", "..."]), Examples())

    def stop(self) -> None:
        if self._stack is not None:
            self._stack.stop()
            self._stack = None

    def read(self, page: Path, meant: Mapping[str, str] = {}) -> int:
        """Type all of it; the number of commands. `meant`: what to type for a word such as NAME."""
        terminal = Terminal(self._copy.folder, self._copy.environment)
        examples = Examples()
        typed = 0
        try:
            for block in shell_blocks(page):
                if block.reason_not_to_run is None:
                    listed = list(commands(block))
                    for command, following in zip(listed, [*listed[1:], None], strict=True):
                        self._type(terminal, command, following, examples, meant, page)
                        typed += 1
        finally:
            terminal.close()
        return typed

    def _type(
        self, terminal: Terminal, command: Command, following: Command | None, examples: Examples,
        meant: Mapping[str, str], page: Path,
    ) -> None:  # fmt: skip
        where = f"{page.relative_to(REPOSITORY)}:{command.line}: {command.text}\n"
        if _MAKE_UP.match(command.text):
            self._make_up(command, examples)
            return
        text = examples.in_command(command.text)
        for word, meaning in meant.items():
            text = re.sub(rf"\b{word}\b", meaning, text)
        text = self._copy.with_our_ports(text)
        may_fail = "$?" in command.text or (following is not None and "$?" in following.text)

        def succeeds() -> None:
            printed, code = terminal.type(text, _COMMAND_SECONDS_MAX)
            printed = self._copy.with_the_pages_ports(printed)
            if code != 0 and not may_fail:
                raise PageIsWrong(f"{where}exit code {code}\n{printed}")
            if command.shown and (difference := examples.differ(command.shown, printed)):
                raise PageIsWrong(where + difference)

        eventually_blocking(succeeds, seconds_max=_LOOK_SECONDS_MAX if _LOOK.match(text) else 0)

    def _make_up(self, command: Command, examples: Examples) -> None:
        self.stop()
        stack = RunningStack(command.text, self._copy.folder, self._copy.environment)
        self._stack = stack

        def is_as_shown() -> None:
            printed = self._copy.with_the_pages_ports(stack.printed())
            assert "Ready after" in printed
            if command.shown and (difference := examples.differ(command.shown, printed)):
                raise PageIsWrong(difference)

        eventually_blocking(is_as_shown, seconds_max=_READY_SECONDS_MAX)
