"""Somebody who types each command of a page, in order, and compares what is printed with what is shown."""

import re
import subprocess
from collections.abc import Mapping
from types import MappingProxyType

from tests.documents.console_blocks import REPOSITORY, SHELL_LANGUAGES, Block, Command, blocks, commands
from tests.documents.fresh_copy import FreshCopy
from tests.documents.shown_output import Examples
from tests.documents.terminal import RunningStack, Terminal
from tests.documents.tours import Stop
from tests.eventually import eventually_blocking

_READY_SECONDS_MAX = 600
_COMMAND_SECONDS_MAX = 1200
_LOOK_SECONDS_MAX = 90
_NONE: Mapping[str, str] = MappingProxyType({})
_MAKE_UP = re.compile(r"make up\b")
# What changes nothing may be typed again until the system has come to show it: a view follows its log.
_LOOK = re.compile(
    r"python -m projector (?:\w+ )?(?:status|verify|audit|dead-letters (?:list|show))"
    r"|curl (?![\s\S]*(?: -d | -X|--data|-T ))|make status|cat |ls |grep |psql [^\n]*-c \"SELECT"
)


_SUPERUSER = (
    "PGPASSWORD=$(cat .local/data/postgres.superuser-password)"
    " psql -X -h 127.0.0.1 -p $POSTGRES_PORT -U postgres"
)


class PageIsWrong(AssertionError):
    """A command of a page fails, or prints something else than the page shows."""


class Reader:
    """Reads pages one after the other, each in a new terminal. A stack runs until another one is wanted."""

    def __init__(self, copy: FreshCopy) -> None:
        self._copy = copy
        self._stack: RunningStack | None = None

    def start(self, options: str, settings: Mapping[str, str]) -> None:
        """`make up` with these options and settings, as the page before has started it."""
        command = f"make up ARGS='{options}'" if options else "make up"
        self._make_up(
            Command(command, 0, ["...", "Ready after 1 s. Ctrl-C stops everything.", "..."]),
            Examples(),
            settings,
        )

    def stop(self) -> None:
        if self._stack is not None:
            self._stack.stop()
            self._stack = None

    def read(self, stop: Stop) -> None:
        """Set the scene of the page, then type all of it."""
        terminal = Terminal(self._copy.folder, self._copy.environment)
        examples = Examples()
        try:
            for text in (*(["make shell"] if stop.in_shell else []), *stop.scene):
                printed, code = terminal.type(self._copy.with_our_ports(text), _COMMAND_SECONDS_MAX)
                assert code == 0, f"{stop.page}: the scene: {text}\n{printed}"
            for block in blocks(stop.page):
                if block.typed_with != stop.part:
                    continue
                if block.language == "diff":
                    self._apply(block, stop)
                if block.language in SHELL_LANGUAGES and block.reason_not_to_run is None:
                    listed = list(commands(block))
                    for command, following in zip(listed, [*listed[1:], None], strict=True):
                        self._type(stop, command, following, terminal, examples)
        finally:
            terminal.close()

    def _apply(self, block: Block, stop: Stop) -> None:
        """What the page says to change in the code."""
        applied = subprocess.run(
            ["git", "apply", "-"], cwd=self._copy.folder, input=block.text, text=True,
            capture_output=True, check=False,
        )  # fmt: skip
        if applied.returncode != 0:
            raise PageIsWrong(f"{stop.page.relative_to(REPOSITORY)}:{block.line}: {applied.stderr}")

    def _type(
        self, stop: Stop, command: Command, following: Command | None, terminal: Terminal, examples: Examples
    ) -> None:
        where = f"{stop.page.relative_to(REPOSITORY)}:{command.line}: {command.text}\n"
        if _MAKE_UP.match(command.text):
            self._make_up(command, examples)
            return
        text = examples.in_command(command.text)
        for word, meaning in stop.meant.items():
            text = re.sub(rf"\b{word}\b", meaning.replace("\\", r"\\"), text)
        if command.database is not None:
            text = f"{_SUPERUSER} {command.database} <<'SQL'\n{text}\nSQL"
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

    def _make_up(self, command: Command, examples: Examples, settings: Mapping[str, str] = _NONE) -> None:
        self.stop()
        own = {name: self._copy.with_our_ports(value) for name, value in settings.items()}
        stack = RunningStack(command.text, self._copy.folder, self._copy.environment | own)
        self._stack = stack

        def is_as_shown() -> None:
            printed = self._copy.with_the_pages_ports(stack.printed())
            assert "Ready after" in printed
            if command.shown and (difference := examples.differ(command.shown, printed)):
                raise PageIsWrong(difference)

        eventually_blocking(is_as_shown, seconds_max=_READY_SECONDS_MAX)
