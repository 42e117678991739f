"""Rate limits of both APIs."""

from shared.ops.metrics.declare import Label, counter, gauge

BUDGETS = (
    "reads", "reads-per-address", "writes", "writes-per-address", "imports", "imports-per-address",
    "failed-authentications",
)  # fmt: skip

RATE_LIMIT_DECISIONS = counter(
    "rate_limit_decisions_total",
    "requests",
    "Requests that were counted against a rate limit. With no limit nothing is counted.",
    Label("budget", "the rate limit, as in the header RateLimit-Policy", BUDGETS),
    Label("result", "allowed; refused: answered 429", ("allowed", "refused")),
)
RATE_LIMITS_LOCAL = gauge(
    "rate_limits_local",
    "0 or 1",
    "1 while this process counts requests alone, because Redis did not answer: a caller then has its limits "
    "once for each process.",
)
CALLER_REQUESTS_REFUSED = counter(
    "caller_requests_refused_total",
    "requests",
    "Requests refused with 429 `too-many-requests-in-progress`: their caller had too many in progress.",
)
