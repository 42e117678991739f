"""Settings of rate limits, for both APIs.

Without access control the defaults are no limits: all callers are one machine (loads, tests, imports), and
nobody else reaches it. With access control they keep one caller from taking a process for itself.
"""

from collections.abc import Sequence
from dataclasses import replace
from math import ceil
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, field_validator

from shared.access.refusal_log import AddressOf
from shared.access.settings import AccessSettings
from shared.rate_limits.budget import Budget
from shared.rate_limits.client_address import ClientAddresses, networks_of
from shared.rate_limits.limits import KindOfRequests
from shared.redis.settings import RedisSettings


def _unset(given: object) -> object:
    return None if given == "" else given


# None: the default, which depends on access control. 0: no limit.
PerSecond = Annotated[Annotated[float, Field(ge=0, le=100_000)] | None, BeforeValidator(_unset)]
Burst = Annotated[Annotated[int, Field(ge=1, le=1_000_000)] | None, BeforeValidator(_unset)]
RequestsMax = Annotated[Annotated[int, Field(ge=0)] | None, BeforeValidator(_unset)]
# A burst that is not set: what this many seconds allow.
BURST_SECONDS = 2


class RateLimitSettings(AccessSettings, RedisSettings):
    """What both APIs share; each API adds the rates of its own kinds of requests."""

    redis_key_prefix: str = "catalogue"
    # Requests of one caller in progress at one time.
    requests_per_caller_max: RequestsMax = None
    # Requests with a bad token, for each address.
    failed_authentications_per_second_max: PerSecond = None
    failed_authentications_burst_max: Burst = None
    # Networks of the proxies in front; only they may tell the address of a client.
    trusted_proxies: str = ""
    client_address_header: Literal["x-forwarded-for", "forwarded"] = "x-forwarded-for"
    # How long a request waits for the count in Redis, before this process counts alone.
    rate_limit_seconds_max: float = Field(default=0.05, gt=0)

    @field_validator("trusted_proxies")
    @classmethod
    def _are_networks(cls, given: str) -> str:
        networks_of(given)
        return given

    @property
    def client_addresses(self) -> ClientAddresses:
        """How the address of a client is found."""
        return ClientAddresses(networks_of(self.trusted_proxies), self.client_address_header)

    @property
    def address_of(self) -> AddressOf:
        """The address that is limited is the one in the log: who tries tokens behind a proxy is found."""
        return self.client_addresses.of_request

    @property
    def failed_authentications(self) -> Budget | None:
        """For each address."""
        return self._budget(
            Budget("failed-authentications", 1.0, 20),
            self.failed_authentications_per_second_max,
            self.failed_authentications_burst_max,
        )

    def kind_of_requests(
        self, default: Budget, rates: Sequence[float | None], bursts: Sequence[int | None]
    ) -> KindOfRequests:
        """`default` is for a caller. `rates` and `bursts` per caller and per address. An address has no limit
        unless one is set: many callers may share it, behind a proxy or a router.
        """
        per_address = _budget_of(f"{default.name}-per-address", rates[1], bursts[1])
        return KindOfRequests(self._budget(default, rates[0], bursts[0]), per_address)

    def in_progress_max(self, default: int) -> int | None:
        """Requests of one caller in progress; None: no limit."""
        if self.requests_per_caller_max is None:
            return default if self.has_access_control else None
        return self.requests_per_caller_max or None

    def _budget(self, default: Budget, per_second: float | None, burst: int | None) -> Budget | None:
        if per_second is None and self.has_access_control:
            return replace(default, burst_max=burst or default.burst_max)
        return _budget_of(default.name, per_second, burst)


def _budget_of(name: str, per_second: float | None, burst: int | None) -> Budget | None:
    """None: no limit, because no rate is set, or it is 0."""
    if not per_second:
        return None
    return Budget(name, per_second, burst or max(1, ceil(per_second * BURST_SECONDS)))
