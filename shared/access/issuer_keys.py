"""The issuer's public keys, kept for a while: a token's check must not wait for another service.

Keys older than `refresh_seconds` are fetched again in the background. While the issuer is away the keys from
before count for `stale_seconds_max`; then nobody can be checked, and callers get 503. An unknown key id means
a rotation, or an invented token: it fetches at once, but not more often than every `cool_down_seconds`, so
that inventing tokens does not load the issuer.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from shared.access.errors import KeysUnavailable
from shared.access.keys import PublicKey, key_of
from shared.ops.logs import get_logger
from shared.ops.metrics.access import ACCESS_KEY_FETCHES

_log = get_logger(__name__)
Fetch = Callable[[], Awaitable[dict[str, PublicKey]]]


@dataclass(frozen=True, slots=True)
class KeyTimes:
    """In seconds."""

    refresh: float
    cool_down: float
    stale_max: float


class IssuerKeys:
    """`fetch` raises `KeysUnavailable`; `clock` gives monotonic seconds."""

    def __init__(self, fetch: Fetch, times: KeyTimes, clock: Callable[[], float] = time.monotonic) -> None:
        self._fetch = fetch
        self._times = times
        self._clock = clock
        self._keys: dict[str, PublicKey] = {}
        self._fetched_at = -float("inf")
        self._tried_at = -float("inf")
        self._failed = False
        self._fetching: asyncio.Task[None] | None = None

    async def find(self, kid: str | None) -> PublicKey | None:
        """As in `KeySource`."""
        if self._are_good() and (key := key_of(self._keys, kid)) is not None:
            return key
        await self._fetch_now()
        key = key_of(self._keys, kid)
        if key is None and self._failed:
            raise KeysUnavailable("the key may be new, and the issuer does not answer")
        return key

    async def check(self) -> None:
        """As in `KeySource`."""
        if not self._are_good():
            await self._fetch_now()

    async def close(self) -> None:
        """End a fetch in progress."""
        if self._fetching is not None:
            self._fetching.cancel()
            await asyncio.gather(self._fetching, return_exceptions=True)

    def _are_good(self) -> bool:
        """Whether the keys count; they are fetched again in the background if they are not quite new."""
        age = self._clock() - self._fetched_at
        if self._times.refresh < age <= self._times.stale_max:
            self._begin()
        return age <= self._times.stale_max

    async def _fetch_now(self) -> None:
        self._begin()
        if self._fetching is not None:
            await asyncio.shield(self._fetching)
        if self._clock() - self._fetched_at > self._times.stale_max:
            raise KeysUnavailable("the issuer's keys cannot be had")

    def _begin(self) -> None:
        """Start a fetch, unless one runs, or the last one was a moment ago."""
        now = self._clock()
        if self._fetching is None and now - self._tried_at >= self._times.cool_down:
            self._tried_at = now
            self._fetching = asyncio.create_task(self._refresh(), name="issuer keys")

    async def _refresh(self) -> None:
        try:
            self._keys = await self._fetch()
            self._fetched_at = self._clock()
            if self._failed:
                _log.info("the issuer's keys are here again", keys=sorted(self._keys))
            self._failed = False
            ACCESS_KEY_FETCHES.labels("fetched").inc()
        except KeysUnavailable as error:
            self._failed = True
            ACCESS_KEY_FETCHES.labels("failed").inc()
            _log.warning("the issuer's keys were not fetched", reason=str(error))
        finally:
            self._fetching = None
