"""What the tests of `python -m command_api replay` share: the command, what it left, and a process."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from argparse import Namespace
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from aiokafka.admin import AIOKafkaAdminClient

from command_api.command_line import command_parser
from command_api.replay.app import Order
from command_api.replay.cli import read_order, replay
from command_api.replay.settings import ReplaySettings
from shared.kafka.cloud_event import CloudEventRecord, read_record
from shared.ops.terminal import Terminal
from tests.command_line import run_in_process
from tests.integration.relay_world import read_raw
from tests.servers import DatabaseDsns

_ENDS_SECONDS_MAX = 60


class Replayed(NamedTuple):
    """What the command left behind."""

    code: int
    out: str
    err: str

    @property
    def report(self) -> dict[str, Any]:
        """Of `--json`: the only thing on standard output."""
        (line,) = self.out.splitlines()
        report: dict[str, Any] = json.loads(line)
        return report

    @property
    def complaints(self) -> list[str]:
        """What it says to people on standard error; lines of log are left out."""
        return [line for line in self.err.splitlines() if not line.startswith("{")]


class ReplayProcess:
    """The command under way; standard error goes where it is told to, else into a pipe."""

    def __init__(
        self, environment: Mapping[str, str], arguments: Sequence[str], stderr: int = subprocess.PIPE
    ) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "command_api", "replay", *arguments],
            env={**os.environ, **environment},
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
        )

    def signal(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    async def ended(self) -> Replayed:
        out, err = await asyncio.to_thread(self.process.communicate, timeout=_ENDS_SECONDS_MAX)
        return Replayed(self.process.returncode, out, err or "")


class Operator:
    """Someone with the reader's address of one log, a broker, and a name for topics."""

    def __init__(self, dsns: DatabaseDsns, bootstrap_servers: str, prefix: str) -> None:
        self.bootstrap_servers = bootstrap_servers
        self.topic = f"{prefix}replayed"
        self.environment = {
            "EVENT_STORE_READ_DSN": dsns.log_reader,
            "KAFKA_BOOTSTRAP_SERVERS": bootstrap_servers,
            "REPLAY_CHUNK_EVENTS_MAX": "50",
            "REPLAY_WINDOW_POSITIONS_MAX": "100",
        }

    def begin(self, *arguments: str, stderr: int = subprocess.PIPE, **environment: str) -> ReplayProcess:
        """Start a replay to the topic; the environment can be added to."""
        return ReplayProcess({**self.environment, **environment}, ["--topic", self.topic, *arguments], stderr)

    async def replay(self, *arguments: str, **environment: str) -> Replayed:
        """One from its arguments to its exit code, without a process of its own; log lines go elsewhere."""

        def read() -> tuple[Namespace, Order, ReplaySettings]:
            given = command_parser().parse_args(["replay", "--topic", self.topic, *arguments])
            return given, *read_order(given)

        async def act(wanted: tuple[Namespace, Order, ReplaySettings], terminal: Terminal) -> int:
            given, order, settings = wanted
            return await replay(given, order, settings, terminal, asyncio.Event())

        return Replayed(*await run_in_process({**self.environment, **environment}, read, act))

    async def records(self) -> list[CloudEventRecord]:
        """All that is in the topic, in partition and offset order."""
        raw = await read_raw(self.bootstrap_servers, self.topic)
        return [read_record(record.key, record.value, record.headers) for record in raw]

    async def positions(self) -> list[int]:
        """The log positions in the topic, sorted: repeats stay visible."""
        return sorted(record.event.log_position for record in await self.records())

    async def topics(self) -> set[str]:
        admin = AIOKafkaAdminClient(bootstrap_servers=self.bootstrap_servers)
        await admin.start()
        try:
            return set(await admin.list_topics())
        finally:
            await admin.close()
