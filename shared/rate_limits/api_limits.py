"""The limits of one API, as layers of its application."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from shared.access.guard import Guard
from shared.access.http.bearer import was_accepted
from shared.ops.http.asgi import ASGIApp, Scope
from shared.ops.http.in_turn import InTurn
from shared.rate_limits.budget import Budget
from shared.rate_limits.client_address import ClientAddresses
from shared.rate_limits.failed_authentications import FailedAuthentications, IsKnown
from shared.rate_limits.in_progress import CallersInProgress
from shared.rate_limits.layer import RateLimitLayer
from shared.rate_limits.limits import KindOfRequests, Limits
from shared.rate_limits.local import LocalRateLimiter
from shared.rate_limits.ports import RateLimiter

NO_LIMIT = KindOfRequests(None, None)


@dataclass(frozen=True, slots=True)
class ApiLimits:
    """`usual` are the limits of all requests but those with a path in `by_path`."""

    limiter: RateLimiter = field(default_factory=LocalRateLimiter)
    usual: KindOfRequests = NO_LIMIT
    by_path: Mapping[str, KindOfRequests] = field(default_factory=dict)
    addresses: ClientAddresses = field(default_factory=ClientAddresses)
    in_progress_max: int | None = None
    in_progress: CallersInProgress = field(default_factory=CallersInProgress)
    failed_authentications: Budget | None = None

    @property
    def has_rates(self) -> bool:
        """Whether anything is counted."""
        kinds = (self.usual, *self.by_path.values())
        return self.failed_authentications is not None or any(kind.budgets for kind in kinds)

    @property
    def usual_limits(self) -> Limits:
        """For requests that are answered before the application."""
        return Limits(self.limiter, self.usual)

    def around(self, app: ASGIApp, protect: Callable[[ASGIApp], ASGIApp], guard: Guard | None) -> ASGIApp:
        """`app` behind access control (`protect`), with the limits on both sides of it, and the queue
        for work inside.
        """
        protected = protect(self.inside(InTurn(app)))
        if guard is None:
            return protected
        return self.outside(protected, lambda scope: was_accepted(guard, scope["headers"]))

    def inside(self, app: ASGIApp) -> ASGIApp:
        """`app` with limits for each caller; to be put inside access control."""
        usual = self.usual_limits
        special = {path: Limits(self.limiter, kind) for path, kind in self.by_path.items()}

        def limits_of(scope: Scope) -> Limits:
            return special.get(scope["path"], usual)

        return RateLimitLayer(app, limits_of, self.addresses, self.in_progress_max, self.in_progress)

    def outside(self, app: ASGIApp, is_known: IsKnown) -> ASGIApp:
        """`app` with a limit for bad tokens; to be put outside access control."""
        budget = self.failed_authentications
        if budget is None:
            return app
        return FailedAuthentications(app, self.limiter, budget, self.addresses, is_known)
