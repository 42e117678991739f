"""The configured source of keys, and the verifier over it: for processes, and for commands with a token."""

from contextlib import AsyncExitStack

import httpx

from shared.access.issuer_keys import IssuerKeys
from shared.access.key_fetch import KeyFetch
from shared.access.key_file import FileKeys
from shared.access.keys import KeySource
from shared.access.settings import AccessSettings
from shared.access.tokens import TokenVerifier


async def key_source(settings: AccessSettings, stack: AsyncExitStack) -> KeySource:
    """The file of keys, or until the end of `stack` the issuer's keys over HTTP."""
    if settings.auth_keys_file is not None:
        return FileKeys(settings.auth_keys_file)
    client = await stack.enter_async_context(httpx.AsyncClient(timeout=settings.auth_keys_fetch_seconds_max))
    fetch = KeyFetch(
        client,
        settings.auth_issuer,
        settings.auth_jwks_url,
        seconds_max=settings.auth_keys_fetch_seconds_max,
    )
    keys = IssuerKeys(fetch, settings.key_times)
    stack.push_async_callback(keys.close)
    return keys


async def token_verifier(settings: AccessSettings, stack: AsyncExitStack) -> TokenVerifier:
    """The verifier of a process with access control."""
    return TokenVerifier(await key_source(settings, stack), settings.token_rules)
