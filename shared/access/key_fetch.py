"""One fetch of an issuer's public keys over HTTP: every limit of what an issuer may answer is here."""

import asyncio
from typing import Any
from urllib.parse import urlsplit

import httpx
import msgspec

from shared.access.errors import InvalidKeys, KeysUnavailable
from shared.access.keys import KEYS_BYTES_MAX, PublicKey, read_keys
from shared.ops.error_text import named

DISCOVERY_PATH = "/.well-known/openid-configuration"
# Uncompressed, so that the number of bytes is known before they are in memory.
_HEADERS = {"accept": "application/json", "accept-encoding": "identity"}
_LOOPBACK = ("localhost", "127.0.0.1", "::1")


class KeyFetch:
    """Fetches the keys from `jwks_url`, or from the address that the issuer's discovery document names.

    A redirect counts as a failure: an address that an operator did not configure must not decide whose tokens
    are accepted. `seconds_max` bounds a whole fetch.
    """

    def __init__(self, client: httpx.AsyncClient, issuer: str, jwks_url: str, *, seconds_max: float) -> None:
        self._client = client
        self._issuer = issuer
        self._jwks_url = jwks_url
        self._seconds_max = seconds_max

    async def __call__(self) -> dict[str, PublicKey]:
        """Raises `KeysUnavailable`, whose text is for the log."""
        try:
            async with asyncio.timeout(self._seconds_max):
                url = self._jwks_url or await self._discovered()
                return read_keys(await self._get(url))
        except TimeoutError as error:
            raise KeysUnavailable(f"no answer within {self._seconds_max} s") from error
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise KeysUnavailable(named(error)) from error
        except InvalidKeys as error:
            raise KeysUnavailable(f"the document of keys {error}") from error

    async def _discovered(self) -> str:
        """The address of the keys; the document must be of this very issuer (OpenID Connect Discovery,
        4.3).
        """
        document = await self._get(self._issuer.rstrip("/") + DISCOVERY_PATH)
        try:
            decoded: Any = msgspec.json.decode(document)
        except (msgspec.MsgspecError, RecursionError) as error:
            raise KeysUnavailable("the discovery document is not JSON") from error
        if not isinstance(decoded, dict) or decoded.get("issuer") != self._issuer:
            raise KeysUnavailable("the discovery document is not of this issuer")
        url = decoded.get("jwks_uri")
        if not isinstance(url, str) or not is_protected(url):
            raise KeysUnavailable("the discovery document names no https address of keys")
        return url

    async def _get(self, url: str) -> bytes:
        async with self._client.stream("GET", url, headers=_HEADERS, follow_redirects=False) as answer:
            if answer.status_code != 200:
                raise KeysUnavailable(f"status {answer.status_code} instead of 200 from {url}")
            body = bytearray()
            async for piece in answer.aiter_raw():
                body += piece
                if len(body) > KEYS_BYTES_MAX:
                    raise KeysUnavailable(f"more than {KEYS_BYTES_MAX} bytes from {url}")
            return bytes(body)


def is_protected(url: str) -> bool:
    """Whether nobody on the way can replace the keys: https, or http that does not leave this machine."""
    try:
        parts = urlsplit(url)
        return bool(parts.hostname) and (
            parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK)
        )
    except ValueError:
        return False
