"""What the tests of pages about lost servers share: a shell, the commands of a page, and what they print."""

import asyncio
import os
import re
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import asyncpg

from tests.documents.console_blocks import commands, shell_blocks
from tests.documents.terminal import Terminal
from tests.end_to_end.checker import Evidence
from tests.end_to_end.evidence import must_be_at_rest, must_be_consistent
from tests.end_to_end.ledger import Command
from tests.end_to_end.system import REPOSITORY, System
from tests.end_to_end.workload import Load
from tests.eventually import eventually
from tests.mail_server import MailServer

COMMAND_SECONDS_MAX = 150.0
REST_SECONDS_MAX = 120.0
READERS = 3
MAIL_SETTINGS = {"NOTIFICATION_RECIPIENTS": "ann@x.test", "NOTIFICATION_SINGLE_MAILS_MAX": "10000"}


def commands_of(page: str) -> list[str]:
    """In the order of the page, without those that no test types."""
    typed = [block for block in shell_blocks(REPOSITORY / page) if not block.reason_not_to_run]
    return [one.text for block in typed for one in commands(block)]


@contextmanager
def shell_of(
    system: System, more: Mapping[str, str] | None = None, programs: Path | None = None
) -> Iterator["Shell"]:
    """With the settings of the installation, and our Python first; then `programs`, a folder."""
    folders = [str(Path(sys.executable).parent), *([str(programs)] if programs else []), os.environ["PATH"]]
    environment = {
        **os.environ,
        **system.environment(),
        **(more or {}),
        "EVENT_STORE_DSN": system.event_store.writer,
        "EVENT_STORE_MIGRATE_DSN": system.event_store.owner,
        "READ_MODEL_DSN": system.read_model.projector,
        "READ_MODEL_MIGRATE_DSN": system.read_model.owner,
        "RELAY_OPS_PORT": str(system.relay.ops_port),
        "PATH": ":".join(folders),
    }
    terminal = Terminal(REPOSITORY, environment)
    try:
        yield Shell(terminal)
    finally:
        terminal.close()


class Shell:
    """Types commands of a page. `seconds` has the time of each that had to succeed."""

    def __init__(self, terminal: Terminal) -> None:
        self.seconds: dict[str, float] = {}
        self._terminal = terminal

    async def must_succeed(self, command: str) -> str:
        started = time.monotonic()
        printed, code = await self.type(command)
        print(f"$ {command}\n{printed}")
        assert code == 0, f"{command}\n{printed}"
        self.seconds[command] = round(time.monotonic() - started, 1)
        return printed

    async def states(self, status: str) -> dict[str, str]:
        """Of the projections, as `status` prints them."""
        printed, _ = await self.type(status)
        rows = re.findall(r"^(\w+) +(running|waiting|stopped|paused|unknown) ", printed, flags=re.MULTILINE)
        assert len(rows) >= 6, printed  # without a mail server there is no projection of mails
        return dict(rows)

    async def some_are(self, state: str, status: str) -> None:
        """For `eventually`."""
        found = await self.states(status)
        assert state in found.values(), found

    async def all_are(self, state: str, status: str) -> None:
        """For `eventually`."""
        found = await self.states(status)
        assert set(found.values()) == {state}, found

    async def relay_has_published(self, lag: str) -> None:
        """Almost all: clients go on writing."""
        printed, _ = await self.type(lag)
        found = re.search(r"^relay_lag_events (\d+)", printed, flags=re.MULTILINE)
        assert found is not None, printed
        assert int(found[1]) < 100, printed

    async def type(self, command: str) -> tuple[str, int]:
        """What it printed, and its exit code."""
        return await asyncio.to_thread(self._terminal.type, command, COMMAND_SECONDS_MAX)


async def all_is_shown(system: System, load: Load) -> None:
    """From here no read may show less than what was acknowledged so far, with or without a token."""
    _: int = await eventually(lambda: must_be_at_rest(system), REST_SECONDS_MAX)
    load.known.settle()


async def all_is_well(system: System, load: Load, earlier: Sequence[Command] = ()) -> Evidence:
    """The views are what the log says, and so was all that the readers were shown.

    `earlier`: what others have written.
    """
    evidence = await must_be_consistent(
        system, [*earlier, *load.commands], seconds_max=REST_SECONDS_MAX, witnessed=load.readers.witnessed
    )
    assert load.wrong == [], "\n".join(load.wrong)
    print(f"reads: {dict(load.readers.answers)}")
    assert load.readers.answers["id 200"] > 0
    return evidence


def no_mail_came_twice(mails: MailServer) -> None:
    ids = Counter(str(mail.message["Message-ID"]) for mail in mails.taken)
    assert [one for one, count in ids.items() if count > 1] == []


async def every_creation_was_told_once(system: System, mails: MailServer) -> None:
    """For `eventually`."""
    no_mail_came_twice(mails)
    connection = await asyncpg.connect(system.event_store.owner)
    try:
        sql = "SELECT count(*) FROM catalogue.events WHERE event_type = 'product-created'"
        created = await connection.fetchval(sql)
    finally:
        await connection.close()
    assert sum(subject.startswith("New product") for subject in mails.subjects()) == created
