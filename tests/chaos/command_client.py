"""Sends a command to any of the command APIs, and decides what its answer means for the books."""

import random
from collections.abc import Sequence
from typing import Any, NamedTuple

import httpx

from tests.chaos.books import Books
from tests.end_to_end.ledger import OUTCOMES_OF_503, Command, Outcome

_ANSWER_SECONDS_MAX = 6.0
_CONNECT_SECONDS_MAX = 2.0
_NEVER_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
_REFUSALS = (404, 409, 412)


class Heard(NamedTuple):
    """The result: status and problem code, or the transport's error; and the answer, if there was one."""

    said: str
    answer: httpx.Response | None
    was_sent: bool = True


class CommandClient:
    """The client of all writers."""

    def __init__(self, urls: Sequence[str], books: Books) -> None:
        timeout = httpx.Timeout(_ANSWER_SECONDS_MAX, connect=_CONNECT_SECONDS_MAX)
        self._apis = [httpx.AsyncClient(base_url=url, timeout=timeout, trust_env=False) for url in urls]
        self._books = books

    async def close(self) -> None:
        for api in self._apis:
            await api.aclose()

    async def send(
        self, chance: random.Random, method: str, path: str, body: Any, headers: dict[str, str]
    ) -> Heard:
        """Send a request once, to one of the APIs."""
        try:
            answer = await chance.choice(self._apis).request(method, path, json=body, headers=headers)
        except httpx.TransportError as error:
            said = type(error).__name__
            self._books.answers[said] += 1
            return Heard(said, None, not isinstance(error, _NEVER_SENT))
        said = str(answer.status_code)
        if not answer.is_success:
            is_problem = answer.headers.get("content-type") == "application/problem+json"
            said += f" {answer.json()['code'] if is_problem else 'without-a-problem-document'}"
        self._books.answers[said] += 1
        return Heard(said, answer)

    def outcome(self, command: Command, heard: Heard) -> Outcome:
        """The outcome of a whole request."""
        if heard.answer is None:
            return "unknown" if heard.was_sent else "not-written"
        return self.outcome_of(command, heard.said, heard.answer.text)

    def outcome_of(self, command: Command, said: str, text: str) -> Outcome:
        """The outcome of a status and a code, for a request or for one operation of a batch."""
        status, _, code = said.partition(" ")
        if status.startswith("2"):
            return "ok"
        if int(status) in _REFUSALS:
            return "refused"
        if status == "503" and code in OUTCOMES_OF_503:
            return OUTCOMES_OF_503[code]
        self._books.accuse(command, f"was answered {said}: {text}")
        return "unknown"
