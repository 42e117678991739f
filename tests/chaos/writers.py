"""Writers that send commands during the faults, each in its own manner, and record every attempt.

careful: with an Idempotency-Key, repeats a request until it is settled; hasty: with a key, but gives up half
of the unknown outcomes; keyless: without a key, so an unknown outcome stays unknown. Each attempt goes to any
of the command APIs and has its own X-Request-Id.
"""

import itertools
import random
import time
from typing import Literal

import httpx

from tests.chaos import requests
from tests.chaos.batches import write_batch
from tests.chaos.books import Books
from tests.chaos.command_client import CommandClient, Heard
from tests.chaos.requests import Request
from tests.end_to_end.known import KnownProduct
from tests.end_to_end.ledger import Attempt, Command
from tests.end_to_end.pausing import pause

Manner = Literal["careful", "hasty", "keyless"]
MANNERS: tuple[Manner, ...] = ("careful", "careful", "hasty", "keyless")
_BATCHES = 0.05
_ASKED_AGAIN = 0.04
_RETRY_SECONDS = (0.05, 1.0)


async def write(number: int, books: Books, client: CommandClient, pause_seconds: float) -> None:
    """One writer: sends one command or batch after the other, until the run ends and its last one is
    settled.
    """
    writer = Writer(number, books, client)
    while not books.resting.is_set():
        if writer.chance.random() < _BATCHES:
            await write_batch(writer)
        else:
            await writer.write_one()
        await pause(writer.chance.uniform(0, 2 * pause_seconds), books.resting)


class Writer:
    """`chance` decides what it does, from the run's seed and its own number."""

    def __init__(self, number: int, books: Books, client: CommandClient) -> None:
        self.chance = random.Random(f"writer {books.seed} {number}")
        self.manner = MANNERS[number % len(MANNERS)]
        self.books = books
        self.client = client

    @property
    def gives_up(self) -> bool:
        """Whether an unknown outcome stays unknown."""
        return self.manner == "keyless" or (self.manner == "hasty" and self.chance.random() < 0.5)

    def headers(self, name: str) -> dict[str, str]:
        """Without the request id."""
        return {} if self.manner == "keyless" else {"idempotency-key": name}

    async def write_one(self) -> None:
        """Send a command until it is settled or given up."""
        name = self.books.new_name()
        request, product = self._choose(name)
        command = self.books.begin(name, request, product)
        headers = self.headers(name)
        if request.if_version is not None:
            headers["if-match"] = f'"{request.if_version}"'
        answer = await self._until_settled(command, request, headers)
        if answer is None:
            return
        if product is None:
            told = answer.json()
            self._learn(command, request, None, told["id"], answer, told["slug"])
        else:
            self._learn(command, request, product, product.product_id, answer)
        if self.manner == "careful" and self.chance.random() < _ASKED_AGAIN:
            await self._ask_again(command, request, headers, answer)

    def _choose(self, name: str) -> tuple[Request, KnownProduct | None]:
        kind = self.chance.choices(list(requests.WEIGHTS), list(requests.WEIGHTS.values()))[0]
        product = self.books.known.choose(self.chance)
        if kind != "create" and product is not None:
            return requests.change(kind, product, name, self.chance), product
        is_spoiled = product is not None and self.chance.random() < requests.SPOILED
        taken_sku = product.sku if product is not None and is_spoiled else None
        return requests.creation(name, self.chance, taken_sku), None

    def _learn(
        self, command: Command, request: Request, product: KnownProduct | None, product_id: str,
        answer: httpx.Response, slug: str = "",
    ) -> None:  # fmt: skip
        token = answer.headers["consistency-token"]
        self.books.learn(command, request, product, product_id, token, slug)

    async def _until_settled(
        self, command: Command, request: Request, headers: dict[str, str]
    ) -> httpx.Response | None:
        """The answer, if it is a good one."""
        for number in itertools.count(1):
            request_id = f"{command.command_id}.{number}"
            started = time.monotonic()
            heard = await self._send(request, {**headers, "x-request-id": request_id})
            outcome = self.client.outcome(command, heard)
            answer = heard.answer if outcome == "ok" else None
            version = int(answer.headers["etag"].strip('"')) if answer is not None else None
            attempt = Attempt(request_id, outcome, heard.said, started, time.monotonic(), version)
            command.attempts.append(attempt)
            if outcome in ("ok", "refused") or self.books.giving_up.is_set():
                return answer
            if outcome == "unknown" and self.gives_up:
                return None
            await pause(self.chance.uniform(*_RETRY_SECONDS), self.books.giving_up)
        return None

    async def _send(self, request: Request, headers: dict[str, str]) -> Heard:
        return await self.client.send(self.chance, request.method, request.path, request.body, headers)

    async def _ask_again(
        self, command: Command, request: Request, headers: dict[str, str], first: httpx.Response
    ) -> None:
        """Send the same key again after its answer: the answer must be the same, or an outage."""
        again = await self._send(request, {**headers, "x-request-id": f"{command.command_id}.again"})
        answer = again.answer
        if answer is None or answer.status_code == 503:
            return
        told = (answer.status_code, answer.content, answer.headers.get("etag"))
        if told != (first.status_code, first.content, first.headers.get("etag")):
            before = f"{first.status_code} {first.text}"
            self.books.accuse(command, f"was answered {before}, and asked again {again.said} {answer.text}")
