"""The four processes as a deployment starts them, and what their ports say."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import NamedTuple

import httpx

from deploy.local.ports import HOST, free_port
from tests.eventually import eventually
from tests.servers import DatabaseDsns


class Installation(NamedTuple):
    """What all processes are told."""

    event_store: DatabaseDsns
    read_model: DatabaseDsns
    redis_url: str
    kafka: str
    prefix: str

    def environment(self) -> Mapping[str, str]:
        """Common to all; READ_MODEL_DSN depends on the process."""
        return {
            "EVENT_STORE_DSN": self.event_store.writer,
            "EVENT_STORE_READ_DSN": self.event_store.log_reader,
            "REDIS_URL": self.redis_url,
            "REDIS_KEY_PREFIX": self.prefix,
            "KAFKA_BOOTSTRAP_SERVERS": self.kafka,
            "KAFKA_TOPIC_PREFIX": self.prefix,
        }


class Program(NamedTuple):
    """How one is started. `databases`: those whose schema it needs, as its readiness names them; `tells`:
    those without which it is ready, and degraded.
    """

    arguments: Sequence[str]
    ops_port: str
    port: str | None
    databases: Sequence[str]
    tells: Sequence[str] = ()


COMMAND_API = Program(("command_api", "serve"), "COMMAND_OPS_PORT", "COMMAND_PORT", ("event store",))
RELAY = Program(("command_api", "relay"), "RELAY_OPS_PORT", None, ("event store",))
QUERY_API = Program(("query_api", "serve"), "QUERY_OPS_PORT", "QUERY_PORT", ("read model",), ("event store",))
PROJECTOR = Program(("projector", "run"), "PROJECTOR_OPS_PORT", None, ("read model", "event store"))
PROGRAMS = {"command-api": COMMAND_API, "relay": RELAY, "query-api": QUERY_API, "projector": PROJECTOR}


class Started:
    """One that runs. `api`: its port for callers, if it has one."""

    def __init__(
        self, process: asyncio.subprocess.Process, api: httpx.AsyncClient, ops: httpx.AsyncClient
    ) -> None:
        self.process = process
        self.api = api
        self._ops = ops

    async def readiness(self) -> tuple[int, Mapping[str, str], Sequence[str]]:
        """(status, checks, degraded). The process lives, whatever the answer is."""
        assert self.process.returncode is None, "it has ended"
        try:
            live, ready = await self._ops.get("/livez"), await self._ops.get("/readyz")
        except httpx.TransportError as error:
            raise AssertionError("not listening yet") from error
        assert live.status_code == 200, live.text
        body = ready.json()
        return ready.status_code, body["checks"], body["degraded"]

    async def metrics(self) -> httpx.Response:
        """Of its operations port."""
        return await self._ops.get("/metrics")

    async def is_ready(self, *degraded: str) -> None:
        """With these checks failing, and no other; waits for it."""

        async def says_so() -> None:
            status, checks, failing = await self.readiness()
            assert (status, set(failing)) == (200, set(degraded)), checks

        await eventually(says_so)

    async def waits_for(self, check: str, reason: str) -> None:
        """Not ready, and says why; waits for it."""

        async def says_so() -> None:
            status, checks, _ = await self.readiness()
            assert status == 503
            assert reason in checks[check], checks

        await eventually(says_so)


@asynccontextmanager
async def started(program: Program, installation: Installation, **more: str) -> AsyncIterator[Started]:
    """In this block; killed at its end. Its log is shown if the test fails."""
    port, ops_port = free_port(), free_port()
    read_model = installation.read_model
    environment = {
        **os.environ,
        **installation.environment(),
        "READ_MODEL_DSN": read_model.projector if program is PROJECTOR else read_model.reader,
        program.ops_port: str(ops_port),
        **({program.port: str(port)} if program.port else {}),
        **more,
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", *program.arguments, env=environment,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    # Read all the time: lines that find no place in a full pipe are lost.
    reading = asyncio.create_task(process.communicate())
    async with (
        httpx.AsyncClient(base_url=f"http://{HOST}:{port}", timeout=30) as api,
        httpx.AsyncClient(base_url=f"http://{HOST}:{ops_port}", timeout=30) as ops,
    ):
        try:
            yield Started(process, api, ops)
        finally:
            if process.returncode is None:
                process.kill()
            output, _ = await reading
            print(output.decode())
