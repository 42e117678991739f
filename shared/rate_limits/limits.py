"""The limits of one kind of requests, and the headers that tell a caller about them.

The headers are those of draft-ietf-httpapi-ratelimit-headers-11: `RateLimit-Policy: "reads";q=2000;w=2` and
`RateLimit: "reads";r=1999;t=1`. `q` is the burst, `w` the seconds in which an empty bucket becomes full, `r`
what is left, `t` the seconds until all of it is available again or, on a refusal, until the next request is
allowed: the same instant as Retry-After.
"""

import hashlib
from asyncio import Future
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import ceil

from shared.ops.metrics.rate_limits import RATE_LIMIT_DECISIONS
from shared.rate_limits.budget import MICROSECONDS, Budget, Decision
from shared.rate_limits.ports import RateLimiter

Takes = tuple["Future[Decision]", ...]
TAKES = "catalogue.rate_limit.takes"
"""The key in a request's scope for takes that were begun before the application got the request."""
_POLICY, _STATE = b"ratelimit-policy", b"ratelimit"
Pairs = list[tuple[bytes, bytes]]


@dataclass(frozen=True, slots=True)
class KindOfRequests:
    """The budgets of one kind; None: no limit."""

    per_caller: Budget | None
    per_address: Budget | None

    @property
    def budgets(self) -> tuple[Budget, ...]:
        """Those that exist."""
        return tuple(each for each in (self.per_caller, self.per_address) if each is not None)


class Limits:
    """Takes one request of a kind from the buckets of its caller and of its address."""

    def __init__(self, limiter: RateLimiter, kind: KindOfRequests) -> None:
        self._limiter = limiter
        self._kind = kind
        self.is_active = bool(kind.budgets)
        policies = [
            f'"{each.name}";q={each.burst_max};w={ceil(each.span_us / MICROSECONDS)}' for each in kind.budgets
        ]
        self._policy = (_POLICY, ", ".join(policies).encode())
        self._policy_line = b"%b: %b\r\n" % self._policy
        self._states = [f'"{each.name}";r=%d;t=%d'.encode() for each in kind.budgets]
        self._counts = [
            tuple(RATE_LIMIT_DECISIONS.labels(each.name, result).inc for result in ("refused", "allowed"))
            for each in kind.budgets
        ]

    def take(self, subject: str | None, address: str) -> Takes:
        """Begin to take a request of this caller."""
        takes = []
        kind = self._kind
        if kind.per_caller is not None:
            key = bucket_key(kind.per_caller.name, caller_of(subject, address))
            takes.append(self._limiter.take(key, kind.per_caller))
        if kind.per_address is not None:
            key = bucket_key(kind.per_address.name, caller_of(None, address))
            takes.append(self._limiter.take(key, kind.per_address))
        return tuple(takes)

    def count(self, decisions: Sequence[Decision]) -> None:
        """Count the decisions in the metrics, once for each request."""
        for decision, (refused, allowed) in zip(decisions, self._counts, strict=True):
            (allowed if decision.is_allowed else refused)()

    def headers(self, decisions: Sequence[Decision]) -> Pairs:
        """The two headers."""
        return [self._policy, (_STATE, self._state(decisions))]

    def lines(self, decisions: Sequence[Decision]) -> bytes:
        """The same as lines of an answer."""
        return b"%bratelimit: %b\r\n" % (self._policy_line, self._state(decisions))

    def _state(self, decisions: Sequence[Decision]) -> bytes:
        return b", ".join(
            state % (decision.remaining, decision.reset_seconds)
            for state, decision in zip(self._states, decisions, strict=True)
        )


def caller_of(subject: str | None, address: str) -> str:
    """The subject of a token; without a token, the address. No subject can be taken for an address."""
    return f"address {address}" if subject is None else f"caller {subject}"


def retry_after_seconds(decisions: Sequence[Decision]) -> int:
    """When the request can be repeated; 0 if it is allowed."""
    return max((each.reset_seconds for each in decisions if not each.is_allowed), default=0)


@lru_cache(maxsize=4096)
def bucket_key(budget: str, who: str) -> str:
    """A bucket of this budget. Hashed: a caller's name is personal, may be long, and has any characters."""
    return f"{budget}:{hashlib.blake2b(who.encode(), digest_size=16).hexdigest()}"
