"""Clients that write and read over HTTP during faults, bounded by a number of commands.

Products are shared between clients. Each command has one Idempotency-Key for all its attempts and is tried
until it is settled, as careful clients do. Each attempt has its own X-Request-Id, so that an event in the log
shows from which attempt it came.
"""

import asyncio
import itertools
import random
import time
import uuid
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from types import TracebackType
from typing import Protocol

import httpx

from tests.end_to_end.known import Known, KnownProduct
from tests.end_to_end.ledger import OUTCOMES_OF_503, Attempt, Command, Outcome
from tests.end_to_end.readers import Readers
from tests.end_to_end.workload_requests import Request, change, creation
from tests.eventually import eventually

CLIENTS = 8
_WEIGHTS = {
    "create": 24, "details": 18, "price": 26, "publish": 9, "archive": 5, "restore": 3,
    "add-variant": 5, "remove-variant": 4, "delete": 6,
}  # fmt: skip
_REFUSED_ON_PURPOSE = 0.04
_READERS_PAUSE_SECONDS = 0.05


class Addresses(Protocol):
    """Of one installation, or of what stands in front of it."""

    @property
    def command_url(self) -> str: ...

    @property
    def query_url(self) -> str: ...


class Load:
    """An async context manager; `begin(n)` sends n commands, and may be called again.

    `readers` read from its begin to its end what the commands have written.
    """

    def __init__(
        self,
        system: Addresses,
        *,
        seed: int = 1,
        clients: int = CLIENTS,
        readers: int = 0,
        keeps_connections: bool = True,
    ) -> None:
        self.commands: list[Command] = []
        self.known = Known()
        self.reads: Counter[str] = Counter()
        self.read_wait_seconds: int | None = None
        """None: no reads."""
        self.settled_seconds_max = 60.0
        """How long a client repeats a command that was not answered; an outage may take longer."""
        self._clients = clients
        self._random = random.Random(seed)
        self._name = uuid.uuid4().hex[:8]
        self._numbers = itertools.count(1)
        self._wrong: list[str] = []
        self._resting = asyncio.Event()
        self.readers = Readers(
            [system.query_url], self.known, self._resting, seed=seed, pause_seconds=_READERS_PAUSE_SECONDS
        )
        self._reader_count = readers
        self._reading: list[asyncio.Task[None]] = []
        timeout, limits = httpx.Timeout(30.0), httpx.Limits()
        if not keeps_connections:
            limits = httpx.Limits(max_keepalive_connections=0)
        self._command_api = httpx.AsyncClient(base_url=system.command_url, timeout=timeout, limits=limits)
        self._query_api = httpx.AsyncClient(base_url=system.query_url, timeout=timeout, limits=limits)
        self._running: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> "Load":
        self._reading = [asyncio.create_task(self.readers.read(n)) for n in range(self._reader_count)]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._resting.set()
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)
        ends = await asyncio.gather(*self._reading, return_exceptions=True)
        await self._command_api.aclose()
        await self._query_api.aclose()
        await self.readers.close()
        if error is None:
            assert [end for end in ends if end is not None] == []
            assert self.readers.wrong == []

    def begin(self, commands: int) -> "asyncio.Task[None]":
        """Send so many commands; the task ends when all are settled, and raises if one cannot be."""
        return self._begin(iter(range(commands)))

    @asynccontextmanager
    async def going_on(self, commands: int, *, settled: int) -> AsyncIterator["asyncio.Task[None]"]:
        """Runs the block while commands are sent, beginning when so many of them are settled.

        At least `commands` are sent, and more until the block is left, so that faults in it happen under
        load, however long they take. The task ends when all are settled.
        """
        is_left, before = False, self.settled_count
        numbers = itertools.takewhile(lambda number: number < commands or not is_left, itertools.count())
        running = self._begin(numbers)
        try:
            await self.settled(before + settled)
            yield running
        finally:
            is_left = True

    def _begin(self, numbers: Iterator[int]) -> "asyncio.Task[None]":
        task = asyncio.create_task(self._run(numbers))
        self._running.add(task)
        return task

    async def settled(self, commands: int) -> None:
        """Wait until so many commands are settled since the beginning."""

        def so_many() -> None:
            assert self.settled_count >= commands, f"{self.settled_count} of {commands} commands settled"

        await eventually(so_many, self.settled_seconds_max)

    async def said(self, *answers: str) -> None:
        """Wait until an attempt was answered like one of these: status and code."""

        def somebody_heard() -> None:
            heard = self.answers()
            assert any(answer in heard for answer in answers), (
                f"no attempt was answered {answers}, only {heard}"
            )

        await eventually(somebody_heard, self.settled_seconds_max)

    @property
    def wrong(self) -> list[str]:
        """Answers that are wrong whatever the faults."""
        return [*self._wrong, *self.readers.wrong]

    @property
    def settled_count(self) -> int:
        return sum(1 for each in self.commands if each.outcome in ("ok", "refused"))

    def answers(self) -> Counter[str]:
        """The number of attempts for each answer."""
        return Counter(attempt.said for command in self.commands for attempt in command.attempts)

    async def _run(self, numbers: Iterator[int]) -> None:
        async def client() -> None:
            for _ in numbers:
                await self._one_command()

        await asyncio.gather(*(client() for _ in range(self._clients)))

    async def _one_command(self) -> None:
        kind = self._random.choices(list(_WEIGHTS), list(_WEIGHTS.values()))[0]
        product = self._random.choice(self.known.products) if self.known.products else None
        if product is None:
            kind = "create"
        elif kind == "remove-variant" and not product.more_skus:
            kind = "price"
        command = Command(f"{self._name}-{next(self._numbers)}", kind, None)
        if product is not None and kind != "create":
            command.product_id = product.product_id
        self.commands.append(command)
        sku = self._sku_for(kind, product, command)
        request = self._request(kind, product, sku, command)
        if kind == "delete" and product is not None:
            self.known.deletion_is_sent(product)
        answer = await self._until_settled(command, request)
        if answer is not None:
            self._remember(command, product, sku, answer)
            await self._read(command, answer)

    def _sku_for(self, kind: str, product: KnownProduct | None, command: Command) -> str:
        if kind in ("create", "add-variant"):
            return f"{command.command_id}/ä #{len(self.commands)}"
        assert product is not None
        return product.more_skus.pop() if kind == "remove-variant" else product.sku

    def _request(self, kind: str, product: KnownProduct | None, sku: str, command: Command) -> Request:
        spoiled = self._random.random() < _REFUSED_ON_PURPOSE
        number = len(self.commands)
        if kind == "create":
            taken = self._random.choice(self.known.products).sku if spoiled and product else sku
            return creation(command.command_id, taken, number)
        assert product is not None
        return change(kind, product, sku, command.command_id, number, '"999999"' if spoiled else None)

    async def _until_settled(self, command: Command, request: Request) -> httpx.Response | None:
        async def attempt_is_answered() -> httpx.Response | None:
            answer, attempt = await self._attempt(command, request)
            command.attempts.append(attempt)
            assert attempt.outcome in ("ok", "refused"), f"{command.command_id} is {attempt.said}"
            return answer if attempt.outcome == "ok" else None

        return await eventually(attempt_is_answered, self.settled_seconds_max)

    async def _attempt(self, command: Command, request: Request) -> tuple[httpx.Response | None, Attempt]:
        request_id = f"{command.command_id}.{len(command.attempts) + 1}"
        headers = {"idempotency-key": command.command_id, "x-request-id": request_id}
        if request.if_match is not None:
            headers["if-match"] = request.if_match
        started = time.monotonic()
        answer: httpx.Response | None = None
        version: int | None = None
        try:
            answer = await self._command_api.request(
                request.method, request.path, json=request.body, headers=headers
            )
        except httpx.TransportError as error:
            said = type(error).__name__
            outcome: Outcome = "not-written" if isinstance(error, httpx.ConnectError) else "unknown"
        else:
            said, outcome = self._told(command, answer)
            version = int(answer.headers["etag"].strip('"')) if outcome == "ok" else None
        return answer, Attempt(request_id, outcome, said, started, time.monotonic(), version)

    def _told(self, command: Command, answer: httpx.Response) -> tuple[str, Outcome]:
        if answer.is_success:
            return str(answer.status_code), "ok"
        is_problem = answer.headers.get("content-type") == "application/problem+json"
        code = answer.json()["code"] if is_problem else "no-problem-document"
        said = f"{answer.status_code} {code}"
        if answer.is_client_error and is_problem:
            return said, "refused"
        if answer.status_code == 503 and code in OUTCOMES_OF_503:
            return said, OUTCOMES_OF_503[code]
        self._wrong.append(f"{command.kind} {command.command_id} was answered {said}: {answer.text}")
        return said, "unknown"

    def _remember(
        self, command: Command, product: KnownProduct | None, sku: str, answer: httpx.Response
    ) -> None:
        version, token = int(answer.headers["etag"].strip('"')), answer.headers["consistency-token"]
        if command.kind == "create":
            told = answer.json()
            command.product_id = told["id"]
            self.known.add(KnownProduct(told["id"], sku, told["slug"], version, token))
            return
        assert product is not None
        if command.kind == "delete":
            self.known.is_deleted(product, token)
            return
        product.learn(version, token)
        if command.kind == "add-variant":
            product.more_skus.append(sku)

    async def _read(self, command: Command, written: httpx.Response) -> None:
        """Read your write: with its token, the answer shows the write, or says that it is not visible yet."""
        if self.read_wait_seconds is None:
            return
        headers = {
            "consistency-token": written.headers["consistency-token"],
            "prefer": f"wait={self.read_wait_seconds}",
        }
        try:
            answer = await self._query_api.get(f"/v1/products/{command.product_id}", headers=headers)
        except httpx.TransportError as error:
            self.reads[type(error).__name__] += 1
            return
        code = f" {answer.json()['code']}" if answer.status_code >= 500 else ""
        self.reads[f"{answer.status_code}{code}"] += 1
        version = int(written.headers["etag"].strip('"'))
        if answer.status_code == 200 and (command.kind == "delete" or answer.json()["version"] < version):
            self._wrong.append(f"after {command.kind} to version {version} a read showed {answer.text}")
        if answer.status_code == 404 and command.product_id not in self.known.doomed:
            self._wrong.append(f"after {command.kind} of {command.product_id} a read said 404")
        if answer.status_code not in (200, 404, 503):
            self._wrong.append(f"a read was answered {answer.status_code}: {answer.text}")
