"""Tells the caller from a token, and remembers verified tokens, so that few requests cost a signature."""

import time
from collections import OrderedDict
from collections.abc import Callable
from hashlib import sha256
from typing import NamedTuple

from shared.access.caller import Caller
from shared.access.errors import InvalidToken
from shared.access.refusal_log import RefusalLog
from shared.access.tokens import TokenVerifier


class _Known(NamedTuple):
    caller: Caller
    until: float


class Guard:
    """One for all ports of a process.

    A verified token is known until it expires, and for `known_seconds_max` at most: a key that the issuer
    takes back must not count for longer. Tokens are kept as hashes, so that a copy of the memory gives nobody
    a right. `clock` gives Unix seconds.
    """

    def __init__(
        self,
        verifier: TokenVerifier,
        refusals: RefusalLog,
        *,
        known_max: int,
        known_seconds_max: float,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.refusals = refusals
        self._verifier = verifier
        self._known_max = known_max
        self._known_seconds_max = known_seconds_max
        self._clock = clock
        self._known: OrderedDict[bytes, _Known] = OrderedDict()

    def known(self, token: bytes) -> Caller | None:
        """The caller of a token that was verified a short time ago; None: verify it."""
        key = sha256(token).digest()
        known = self._known.get(key)
        if known is None or known.until <= self._clock():
            return None
        self._known.move_to_end(key)
        return known.caller

    def was_accepted(self, token: bytes) -> bool:
        """Whether the token was good when it was last verified, and has not expired: it is worth a signature,
        whatever else comes from its address.
        """
        known = self._known.get(sha256(token).digest())
        return known is not None and known.caller.expires_at > self._clock()

    async def check(self) -> None:
        """Raises `KeysUnavailable` if no token can be verified now; for readiness."""
        await self._verifier.check()

    async def caller(self, token: bytes) -> Caller:
        """The caller of any token. Raises `InvalidToken` or `KeysUnavailable`."""
        known = self.known(token)
        if known is not None:
            return known
        key = sha256(token).digest()
        try:
            caller = await self._verifier.verify(token)
        except InvalidToken:
            self._known.pop(key, None)
            raise
        until = min(caller.expires_at, self._clock() + self._known_seconds_max)
        self._known[key] = _Known(caller, until)
        self._known.move_to_end(key)
        if len(self._known) > self._known_max:
            self._known.popitem(last=False)
        return caller
