"""Sends operations to POST /v1/products:batch and returns one answer for each, or raises.

A request whose outcome is unknown is sent again with the same Idempotency-Key and the same body: the API
repeats its stored answers for operations that it has done, and does the others now. The key contains the
run's id and not the content, so that the next import of the same file is decided again. If the API could not
take one item for now (503, 429), the whole request is sent again in the same way.
"""

import uuid
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

import httpx
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception_type, stop_after_attempt
from tenacity.wait import wait_random_exponential

from command_api.importer.answers import ItemAnswer, Operation, answers_of, problem_text
from command_api.importer.errors import ApiRefused, ApiUnreachable
from shared.access.client_tokens import IssuerAway, NoToken

ATTEMPTS_MAX = 8
REPORT_ATTEMPTS_MAX = 3
WAIT_SECONDS_MAX = 20.0
ANSWER_SECONDS_MAX = 60.0
CONNECT_SECONDS_MAX = 5.0
REQUEST_BYTES_MAX = 16 * 1024 * 1024
_HOW_TO_LOG_IN = (
    "; no token was sent: give --token-file, or set CLIENT_ID, CLIENT_SECRET_FILE and AUTH_ISSUER"
)
_FOR_NOW = frozenset(
    {
        HTTPStatus.REQUEST_TIMEOUT,  # the body arrived too slowly: nothing was executed
        HTTPStatus.TOO_MANY_REQUESTS,
        HTTPStatus.BAD_GATEWAY,
        HTTPStatus.SERVICE_UNAVAILABLE,
        HTTPStatus.GATEWAY_TIMEOUT,
    }
)


class _NotNow(Exception):
    """An error worth another attempt; `retry_after_seconds` is the server's wish, None if it gave none."""

    def __init__(self, reason: str, retry_after_seconds: float | None = None) -> None:
        super().__init__(reason)
        self.retry_after_seconds = retry_after_seconds


class BatchClient:
    """One run of an import against one command API; use as an async context manager."""

    def __init__(self, url: str, attempts_max: int = ATTEMPTS_MAX, *, auth: httpx.Auth | None = None) -> None:
        self._url = url.rstrip("/")
        self._attempts_max = attempts_max
        self._has_token = auth is not None
        self.run_id = uuid.uuid4().hex
        self.event_count: int | None = 0
        """Events of the run; None: an answer did not say, as after a retry."""
        self._requests = 0
        self._answered = False
        timeout = httpx.Timeout(ANSWER_SECONDS_MAX, connect=CONNECT_SECONDS_MAX)
        # Every event of this run carries the id: subscribers can tell an import from single changes.
        headers = {"content-type": "application/x-ndjson", "import-id": self.run_id}
        self._http = httpx.AsyncClient(timeout=timeout, headers=headers, auth=auth)

    async def __aenter__(self) -> "BatchClient":
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self._http.aclose()

    async def send(self, operations: Sequence[Operation]) -> list[ItemAnswer]:
        """One answer per operation, in order. Raises `ApiUnreachable` or `ApiRefused`."""
        if not operations:
            return []
        self._requests += 1
        key = f"import-{self.run_id}-{self._requests}"
        body = b"".join(operation.line for operation in operations)
        attempts = AsyncRetrying(
            retry=retry_if_exception_type(_NotNow),
            stop=stop_after_attempt(self._attempts_max),
            wait=_wait_seconds,
            reraise=True,
        )
        try:
            answers: list[ItemAnswer] = await attempts(self._attempt, key, body, len(operations))
        except _NotNow as error:
            raise ApiUnreachable(f"the API at {self._url} does not accept the products: {error}") from error
        for answer in answers:
            if answer.accepted:
                self._count(answer.event_count)
        return answers

    async def report(self, body: bytes) -> str | None:
        """Report the run; returns why that was not possible: it does not matter for the products."""
        attempts = AsyncRetrying(
            retry=retry_if_exception_type(_NotNow),
            stop=stop_after_attempt(min(REPORT_ATTEMPTS_MAX, self._attempts_max)),
            wait=_wait_seconds,
            reraise=True,
        )
        try:
            await attempts(self._report, body)
        except (_NotNow, ApiRefused, NoToken) as error:
            return str(error)
        return None

    async def _report(self, body: bytes) -> None:
        try:
            response = await self._http.put(
                f"{self._url}/v1/imports/{self.run_id}",
                content=body,
                headers={"content-type": "application/json"},
            )
        except (IssuerAway, httpx.TransportError, httpx.DecodingError) as error:
            raise _NotNow(str(error) or type(error).__name__) from error
        if response.status_code in _FOR_NOW:
            raise _NotNow(_explain(response), _retry_after_seconds(response))
        if not response.is_success:
            raise ApiRefused(_explain(response))

    def _count(self, events: int | None) -> None:
        if events is None or self.event_count is None:
            self.event_count = None
        else:
            self.event_count += events

    async def _attempt(self, key: str, body: bytes, count: int) -> list[ItemAnswer]:
        try:
            response = await self._http.post(
                f"{self._url}/v1/products:batch", content=body, headers={"idempotency-key": key}
            )
        except IssuerAway as error:
            raise _NotNow(str(error)) from error
        except (httpx.TransportError, httpx.DecodingError) as error:
            reason = str(error) or type(error).__name__
            if not self._answered and isinstance(error, httpx.ConnectError | httpx.UnsupportedProtocol):
                # A wrong address or a stopped service: retries would only make the user wait.
                raise ApiUnreachable(f"no API at {self._url} ({reason}): is it running?") from error
            raise _NotNow(reason) from error
        self._answered = True
        if response.status_code in _FOR_NOW:
            raise _NotNow(_explain(response), _retry_after_seconds(response))
        if response.status_code != HTTPStatus.MULTI_STATUS:
            lacks_token = response.status_code == HTTPStatus.UNAUTHORIZED and not self._has_token
            hint = _HOW_TO_LOG_IN if lacks_token else ""
            raise ApiRefused(f"{self._url} answered {_explain(response)}{hint}")
        answers = answers_of(response.content, count)
        if answers is None:
            raise ApiRefused(f"{self._url} gave an answer that is not a batch answer of this API")
        for answer in answers:
            if answer.http_status in _FOR_NOW:
                raise _NotNow(answer.reason, _retry_after_seconds(response))
        return answers


def _wait_seconds(state: RetryCallState) -> float:
    error = state.outcome.exception() if state.outcome else None
    if isinstance(error, _NotNow) and error.retry_after_seconds is not None:
        return min(error.retry_after_seconds, WAIT_SECONDS_MAX)
    return wait_random_exponential(multiplier=0.2, max=WAIT_SECONDS_MAX)(state)


def _retry_after_seconds(response: httpx.Response) -> float | None:
    text = response.headers.get("retry-after", "")
    return float(text) if text.isascii() and text.isdigit() else None


def _explain(response: httpx.Response) -> str:
    try:
        problem: Any = response.json()
    except ValueError:
        problem = None
    status = f"{response.status_code} {response.reason_phrase}".strip()
    return f"{status}: {problem_text(problem)}" if isinstance(problem, dict) else status
