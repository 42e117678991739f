"""Downloads an export through the public API; what is not whole is an error, never a shorter file.

Only the beginning is tried again: an export that is cut off in the middle would be another snapshot.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http import HTTPStatus

import httpx
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception_type, stop_after_attempt
from tenacity.wait import wait_random_exponential

from shared.access.client_tokens import IssuerAway

ATTEMPTS_MAX = 8
WAIT_SECONDS_MAX = 20.0
# Without a byte. A proxy that buffers the answer may keep the first one back for long.
ANSWER_SECONDS_MAX = 60.0
CONNECT_SECONDS_MAX = 5.0
_HOW_TO_LOG_IN = (
    "; no token was sent: give --token-file, or set CLIENT_ID, CLIENT_SECRET_FILE and AUTH_ISSUER"
)
_FOR_NOW = frozenset(
    {
        HTTPStatus.TOO_MANY_REQUESTS,
        HTTPStatus.BAD_GATEWAY,
        HTTPStatus.SERVICE_UNAVAILABLE,
        HTTPStatus.GATEWAY_TIMEOUT,
    }
)


class ExportFailed(Exception):
    """The text is for the user."""


class _NotNow(Exception):
    def __init__(self, reason: str, retry_after_seconds: float | None = None) -> None:
        super().__init__(reason)
        self.retry_after_seconds = retry_after_seconds


class Download:
    """One export that has begun."""

    def __init__(self, response: httpx.Response) -> None:
        self._response = response
        self.log_position = int(response.headers["log-position"])
        self.product_count = int(response.headers["product-count"])

    async def pieces(self) -> AsyncIterator[bytes]:
        """The whole export, decompressed. Raises `ExportFailed`."""
        try:
            async for piece in self._response.aiter_bytes():
                yield piece
        except (httpx.TransportError, httpx.DecodingError) as error:
            raise ExportFailed(
                f"the export was cut off ({str(error) or type(error).__name__}): run it again"
            ) from error


@asynccontextmanager
async def download(
    url: str, parameters: dict[str, str], auth: httpx.Auth | None, *, attempts_max: int = ATTEMPTS_MAX
) -> AsyncIterator[Download]:
    """Begins an export of the API at `url`. Raises `ExportFailed`, `NoToken`."""
    timeout = httpx.Timeout(ANSWER_SECONDS_MAX, connect=CONNECT_SECONDS_MAX)
    async with httpx.AsyncClient(timeout=timeout, auth=auth) as http:
        request = http.build_request("GET", f"{url.rstrip('/')}/v1/products/export", params=parameters)
        attempts = AsyncRetrying(
            retry=retry_if_exception_type(_NotNow),
            stop=stop_after_attempt(attempts_max),
            wait=_wait_seconds,
            reraise=True,
        )
        try:
            response: httpx.Response = await attempts(_begin, http, request, url)
        except _NotNow as error:
            raise ExportFailed(f"the API at {url} gives no export now: {error}") from error
        try:
            yield Download(response)
        finally:
            async with asyncio.timeout(CONNECT_SECONDS_MAX):
                await response.aclose()


async def _begin(http: httpx.AsyncClient, request: httpx.Request, url: str) -> httpx.Response:
    try:
        response = await http.send(request, stream=True)
    except IssuerAway as error:
        raise _NotNow(str(error)) from error
    except (httpx.ConnectError, httpx.UnsupportedProtocol) as error:
        raise ExportFailed(f"no API at {url} ({error}): is it running?") from error
    except httpx.TransportError as error:
        raise _NotNow(str(error) or type(error).__name__) from error
    if response.status_code == HTTPStatus.OK and {"log-position", "product-count"} <= response.headers.keys():
        return response
    await response.aread()
    await response.aclose()
    said = _explained(response)
    if response.status_code in _FOR_NOW:
        after = response.headers.get("retry-after", "")
        raise _NotNow(said, float(after) if after.isascii() and after.isdigit() else None)
    if response.status_code == HTTPStatus.OK:
        said = "an answer that is not an export: is it the query API?"
    lacks_token = response.status_code == HTTPStatus.UNAUTHORIZED and http.auth is None
    raise ExportFailed(f"{url} answered {said}{_HOW_TO_LOG_IN if lacks_token else ''}")


def _explained(response: httpx.Response) -> str:
    status = f"{response.status_code} {response.reason_phrase}".strip()
    try:
        problem = response.json()
    except ValueError:
        return status
    if not isinstance(problem, dict):
        return status
    return f"{status}: {problem.get('code')}: {problem.get('detail') or problem.get('title')}"


def _wait_seconds(state: RetryCallState) -> float:
    error = state.outcome.exception() if state.outcome else None
    if isinstance(error, _NotNow) and error.retry_after_seconds is not None:
        return min(error.retry_after_seconds, WAIT_SECONDS_MAX)
    return wait_random_exponential(multiplier=0.2, max=WAIT_SECONDS_MAX)(state)
