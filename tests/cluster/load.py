"""Requests at a fixed rate, each sent once: what a trial breaks must not be hidden by a second try."""

import asyncio
import random
import ssl
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple, Self

import msgspec

from deploy.development_token import token
from shared.ops.secret import Secret
from tests.cluster.background import Background
from tests.load.client import Answer, Client, NoAnswer
from tests.load.generator import Generator
from tests.load.latencies import milliseconds
from tests.load.plan import Plan, rates
from tests.load.schedule import Arrival, arrivals
from tests.load.traffic import Traffic

_SCOPES = "products:read products:read-drafts products:audit products:write products:publish products:import"
_SECONDS_MAX = 3600.0
_ANSWER_SECONDS_MAX = 30.0
_COMMANDS = ("POST", "PUT", "PATCH", "DELETE")


class Failed(NamedTuple):
    """A request without success. `at_seconds` counts from the start of the load."""

    at_seconds: float
    request: str
    what: str
    seconds: float


class Front(NamedTuple):
    """What stands before the Services, if anything does: whom its clients trust, and where it is."""

    trusted: ssl.SSLContext | None
    address: str | None


@dataclass
class Tally:
    """All requests of a load, and what each acknowledged command promised."""

    answered: Counter[str] = field(default_factory=Counter)
    failed: list[Failed] = field(default_factory=list)
    versions: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))
    """Product -> the versions that answers of commands have named."""
    seconds: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    """Of the answers with success: `write`, `read`, and `token read` for one that waits for a write."""
    during_seconds: float = 0.0

    @property
    def requests(self) -> int:
        """All, with those that failed."""
        return self.answered.total() + len(self.failed)

    def figures(self) -> dict[str, object]:
        """For the report of a trial."""
        return {
            "seconds": round(self.during_seconds, 1),
            "requests": self.requests,
            "failed": len(self.failed),
            "failed_by_kind": dict(Counter(f"{each.request} {each.what}" for each in self.failed)),
            "milliseconds": {kind: milliseconds(seconds) for kind, seconds in self.seconds.items()},
        }

    def must_have_no_failure(self) -> None:
        """Raises AssertionError with the first failures."""
        assert not self.failed, f"{len(self.failed)} of {self.requests} failed: {self.failed[:10]}"


class _Counting(Client):
    """Writes each answer into the tally."""

    tally: Tally
    started: float

    async def request(
        self, method: str, path: str, body: bytes = b"", headers: Mapping[str, str] | None = None
    ) -> Answer:
        at = time.monotonic()
        is_token_read = "consistency-token" in (headers or {})
        kind = "write" if method in _COMMANDS else "token read" if is_token_read else "read"
        try:
            answer = await super().request(method, path, body, headers)
        except NoAnswer as why:
            # Without the address: failures of one kind are counted together.
            self._fail(at, kind, str(why).split(": Connect call")[0])
            raise
        if answer.status >= 400:
            self._fail(at, kind, f"{answer.status} {answer.code}")
            return answer
        self.tally.answered[kind] += 1
        self.tally.seconds[kind].append(time.monotonic() - at)
        if kind == "write" and answer.status in (200, 201):
            written = msgspec.json.decode(answer.body)
            self.tally.versions[written["id"]].append(written["version"])
        return answer

    def _fail(self, at: float, kind: str, what: str) -> None:
        now = time.monotonic()
        self.tally.failed.append(Failed(round(at - self.started, 2), kind, what, round(now - at, 2)))


class Load(Background):
    """Afterwards `tally` holds all answers."""

    def __init__(
        self,
        command_url: str,
        query_url: str,
        *,
        commands: float,
        reads: float,
        token_reads: float = 0.3,
        front: Front | None = None,
    ) -> None:
        super().__init__("load")
        self._urls, self._front = (command_url, query_url), front or Front(None, None)
        self._plan = Plan(
            _SECONDS_MAX, rates(commands=commands, reads=reads, imports=0.0), random.randrange(1 << 32),
            token_reads=token_reads, products=100, answer_seconds_max=_ANSWER_SECONDS_MAX,
        )  # fmt: skip
        self.tally = Tally()
        self._flows = threading.Event()

    def __enter__(self) -> Self:
        super().__enter__()
        while not self._flows.wait(0.2):
            if not self.thread.is_alive():
                self.stop()
                raise AssertionError("the load ended before it flowed")
        return self

    @property
    def seconds(self) -> float:
        """Since the load has begun."""
        return time.monotonic() - self._started

    def work(self) -> None:
        """No further request after `stop`; all are answered before its end."""
        asyncio.run(self._offer())

    async def _offer(self) -> None:
        made = Tally()
        clients = []
        for url in self._urls:
            client = _Counting(
                url, connections_max=2000, seconds_max=_ANSWER_SECONDS_MAX, token=Secret(token(_SCOPES)),
                trusted=self._front.trusted, address=self._front.address,
            )  # fmt: skip
            client.tally, client.started = made, time.monotonic()
            clients.append(client)
        traffic = Traffic(clients[0], clients[1], self._plan)
        await traffic.make_products(self._plan.products)
        self._started = time.monotonic()
        for client in clients:
            client.tally, client.started = self.tally, self._started
        self._flows.set()
        await Generator(traffic, self._plan).run("trial", self._until_stopped(), 0.0)
        self.tally.during_seconds = self.seconds
        for client in clients:
            client.close()

    def _until_stopped(self) -> Iterator[Arrival]:
        for arrival in arrivals(self._plan.rates, self._plan.seconds, random.Random(self._plan.seed)):
            if self.stops.is_set():
                return
            yield arrival
