"""Limits requests with bad tokens for each address, outside access control.

A signature costs much more to check than to invent. An address whose tokens are refused too often is answered
429 before the next one is checked. A caller whose token was accepted before is let through: others may share
its address, and must not be able to lock it out.
"""

import time
from collections.abc import Callable

from shared.ops.http.asgi import ASGIApp, Message, Receive, Scope, Send
from shared.ops.http.problem import Problem
from shared.ops.http.problem_answer import send_problem
from shared.ops.metrics.rate_limits import RATE_LIMIT_DECISIONS
from shared.rate_limits.budget import Budget
from shared.rate_limits.client_address import ClientAddresses
from shared.rate_limits.limits import bucket_key, caller_of
from shared.rate_limits.ports import RateLimiter

FAILED_TOO_OFTEN = Problem(
    429,
    "too-many-failed-authentications",
    "Too many tokens from this address were refused",
    "Try again after Retry-After.",
)
ADDRESSES_MAX = 20_000
_UNAUTHORIZED = 401
IsKnown = Callable[[Scope], bool]


class FailedAuthentications:
    """`is_known` tells whether the token of a request was accepted when it was last verified."""

    def __init__(
        self,
        app: ASGIApp,
        limiter: RateLimiter,
        budget: Budget,
        addresses: ClientAddresses,
        is_known: IsKnown,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._app = app
        self._limiter = limiter
        self._budget = budget
        self._addresses = addresses
        self._is_known = is_known
        self._clock = clock
        # An entry is made only by a refusal of the limiter, so a request without failures costs one look-up.
        self._refused_until: dict[str, float] = {}
        self._refused, self._allowed = (
            RATE_LIMIT_DECISIONS.labels(budget.name, result).inc for result in ("refused", "allowed")
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        address = self._addresses.of_request(scope)
        left_seconds = self._refused_until.get(address, 0.0) - self._clock()
        if left_seconds > 0 and not self._is_known(scope):
            self._refused()
            retry = (b"retry-after", b"%d" % (int(left_seconds) + 1))
            await send_problem(scope, send, FAILED_TOO_OFTEN, [retry])
            return

        async def send_counted(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] == _UNAUTHORIZED:
                await self._count(address)
            await send(message)

        await self._app(scope, receive, send_counted)

    async def _count(self, address: str) -> None:
        """Take one failure from the budget; if none is left, the next request of the address is refused."""
        key = bucket_key(self._budget.name, caller_of(None, address))
        decision = await self._limiter.take(key, self._budget)
        if decision.is_allowed:
            self._allowed()
            return
        now = self._clock()
        if len(self._refused_until) >= ADDRESSES_MAX:
            self._refused_until = {each: until for each, until in self._refused_until.items() if until > now}
        if len(self._refused_until) < ADDRESSES_MAX:
            self._refused_until[address] = now + decision.reset_seconds
