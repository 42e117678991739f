"""What the settings ask for: the source of keys, the verifier over it, and the guard of a process's ports."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack, suppress

import httpx

from shared.access.errors import KeysUnavailable
from shared.access.given_keys import GivenKeys
from shared.access.guard import Guard
from shared.access.issuer_keys import IssuerKeys
from shared.access.key_fetch import KeyFetch
from shared.access.key_file import FileKeys
from shared.access.keys import KeySource, read_keys
from shared.access.refusal_log import RefusalLog
from shared.access.settings import AccessSettings, refuse_open_ports
from shared.access.tokens import TokenVerifier
from shared.ops.concurrency.waits import stopped
from shared.ops.health import Health
from shared.ops.logs import get_logger
from shared.ops.upkeep import Upkeep

_log = get_logger(__name__)


async def key_source(settings: AccessSettings, stack: AsyncExitStack) -> KeySource:
    """The keys in the settings or in a file, or until the end of `stack` the issuer's keys over HTTP."""
    if settings.auth_keys_file is not None:
        return FileKeys(settings.auth_keys_file)
    if settings.auth_public_keys:
        return GivenKeys(read_keys(settings.auth_public_keys.encode()))
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


async def open_guard(
    settings: AccessSettings, stack: AsyncExitStack, health: Health | None = None
) -> Guard | None:
    """The guard of all ports of a process until the end of `stack`; None: access control is off.

    The keys are kept new also while nobody sends a token: otherwise an operator's first request after a quiet
    time would be checked with old keys, and the one after an outage of the issuer might be refused. A process
    with `health` is ready only while tokens can be checked. Raises `OpenToOthers` if access control
    is off and others reach the ports.
    """
    if not settings.has_access_control:
        refuse_open_ports(settings)
        _log.warning("access control is off", listen_host=settings.listen_host, setting="AUTH_ISSUER")
        return None
    verifier = await token_verifier(settings, stack)
    _log.info("access control is on", issuer=settings.auth_issuer, audience=settings.auth_audience)
    guard = Guard(
        verifier,
        RefusalLog(settings, settings.address_of),
        known_max=settings.auth_verified_tokens_max,
        known_seconds_max=settings.auth_verified_seconds_max,
    )
    if health is not None:
        health.require("keys of tokens", guard.check)
    keeping = Upkeep("keys of tokens", _kept_new(guard), settings.auth_keys_cool_down_seconds)
    task = asyncio.create_task(keeping.run(asyncio.Event()), name="keys of tokens")
    stack.push_async_callback(stopped, task)
    return guard


def _kept_new(guard: Guard) -> Callable[[], Awaitable[None]]:
    async def look() -> None:
        with suppress(KeysUnavailable):  # the source of keys has logged it; the next look is soon
            await guard.check()

    return look
