"""The access token of a command that calls an API: from a file, or from the issuer (RFC 6749, 4.4).

A token that is about to expire is renewed before a request; one that the API refuses is renewed once, and the
same request is sent again.
"""

import asyncio
import re
import time
from collections.abc import AsyncGenerator, Callable
from http import HTTPStatus
from typing import Any, Protocol

import httpx

from shared.access.key_fetch import DISCOVERY_PATH, is_protected
from shared.ops.secret import Secret

ISSUER_SECONDS_MAX = 10.0
# Renewed when so much of its life is left: a request in flight must not outlive its token.
_RENEW_SECONDS = 60.0
_RENEW_SHARE = 0.2
_LIFE_SECONDS_UNSTATED = 300.0
_TOKEN = re.compile(r"[A-Za-z0-9._~+/-]{1,32768}=*")


class NoToken(Exception):
    """No token is to be had. The text is for the user."""


class IssuerAway(Exception):
    """The issuer gave no token now, but may later."""


class TokenSource(Protocol):
    """Raises `NoToken` if there is no token to be had, and `IssuerAway` if there is none now."""

    async def token(self) -> str:
        """A token for the next request."""

    async def renewed(self, refused: str) -> str | None:
        """Another token in place of one that the API refused; None: there is no other."""


class BearerAuth(httpx.Auth):
    """Sends the token with each request (RFC 6750)."""

    def __init__(self, source: TokenSource) -> None:
        self._source = source

    async def async_auth_flow(self, request: httpx.Request) -> AsyncGenerator[httpx.Request, httpx.Response]:
        """Called by httpx for each request."""
        token = await self._source.token()
        request.headers["authorization"] = f"Bearer {token}"
        response = yield request
        if response.status_code == HTTPStatus.UNAUTHORIZED:
            renewed = await self._source.renewed(token)
            if renewed is not None:
                request.headers["authorization"] = f"Bearer {renewed}"
                yield request


class GivenToken:
    """A token from the settings. If it is in a file, that is read for each request: whoever renews the token
    replaces the file.
    """

    def __init__(self, token: Secret) -> None:
        self._token = token

    async def token(self) -> str:
        text = self._token.read()
        if not _TOKEN.fullmatch(text):
            raise NoToken("what is configured as the access token is not one")
        return text

    async def renewed(self, refused: str) -> str | None:
        token = await self.token()
        return None if token == refused else token


class ClientCredentials:
    """Tokens of one client. `token_url` empty: the address in the issuer's discovery document.

    `clock` gives monotonic seconds.
    """

    def __init__(
        self,
        issuer: str,
        token_url: str,
        client_id: str,
        secret: Secret,
        http: httpx.AsyncClient,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._issuer = issuer.rstrip("/")
        self._token_url = token_url
        self._client_id = client_id
        self._secret = secret
        self._http = http
        self._clock = clock
        self._token: str | None = None
        self._renew_at = 0.0
        self._one_at_a_time = asyncio.Lock()

    async def token(self) -> str:
        async with self._one_at_a_time:
            if self._token is None or self._clock() >= self._renew_at:
                await self._fetch()
            assert self._token is not None
            return self._token

    async def renewed(self, refused: str) -> str | None:
        async with self._one_at_a_time:
            if self._token == refused:
                await self._fetch()
            return self._token

    async def _fetch(self) -> None:
        url = self._token_url or await self._discovered()
        client = (self._client_id, self._secret.read())
        answer = await self._asked("POST", url, data={"grant_type": "client_credentials"}, auth=client)
        token, seconds = answer.get("access_token"), answer.get("expires_in")
        if not isinstance(token, str) or not token or str(answer.get("token_type", "")).lower() != "bearer":
            raise NoToken(f"the issuer at {url} gave no bearer token")
        life = float(seconds) if isinstance(seconds, int | float) else _LIFE_SECONDS_UNSTATED
        self._token = token
        self._renew_at = self._clock() + life - min(_RENEW_SECONDS, life * _RENEW_SHARE)

    async def _discovered(self) -> str:
        document = await self._asked("GET", self._issuer + DISCOVERY_PATH)
        url = document.get("token_endpoint")
        if str(document.get("issuer", "")).rstrip("/") != self._issuer or not isinstance(url, str):
            raise NoToken(f"the discovery document of {self._issuer} does not name its token endpoint")
        self._token_url = protected(url)
        return self._token_url

    async def _asked(self, method: str, url: str, **more: Any) -> dict[str, Any]:
        try:
            async with asyncio.timeout(ISSUER_SECONDS_MAX):
                response = await self._http.request(method, url, **more)
        except (httpx.TransportError, httpx.InvalidURL, TimeoutError) as error:
            reason = str(error) or type(error).__name__
            if self._token is None and isinstance(error, httpx.ConnectError | httpx.InvalidURL):
                # A wrong address or a stopped service: retries would only make the user wait.
                raise NoToken(f"no issuer at {url} ({reason}): is it running?") from error
            raise IssuerAway(f"the issuer at {url} does not answer ({reason})") from error
        if response.status_code >= 500 or response.status_code == HTTPStatus.TOO_MANY_REQUESTS:
            raise IssuerAway(f"the issuer at {url} answered {response.status_code}")
        answer = _json_object(response)
        if response.status_code != HTTPStatus.OK:
            told = answer.get("error_description") or answer.get("error") or response.reason_phrase
            raise NoToken(f"the issuer at {url} gives no token: {response.status_code}, {told}")
        return answer


def protected(url: str) -> str:
    """The address, if nobody on the way can read a secret that is sent there. Raises `NoToken`."""
    if not is_protected(url):
        raise NoToken(f"the secret is sent to an https address only (http on loopback), not to {url}")
    return url


def _json_object(response: httpx.Response) -> dict[str, Any]:
    try:
        answer = response.json()
    except ValueError:
        return {}
    return answer if isinstance(answer, dict) else {}
