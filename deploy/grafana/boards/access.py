"""Who is let in: a row for the board of each API."""

from deploy.grafana.board import Panel, Query, Row, rate_by


def access_row(job: str) -> Row:
    """Tokens, the issuer's keys, and the count of requests; without access control the first two are flat."""
    only = f'{{job="{job}"}}'
    return Row(
        "Access",
        [
            Panel(
                "Requests refused a second because of their token",
                "reqps",
                "By the code of the answer. One that jumps: many callers have the same trouble, or one "
                "caller tries tokens.",
                "TokensRefused",
                [rate_by("reason", "access_refusals_total", only)],
            ),
            Panel(
                "Fetches of the issuer's keys in 10 minutes",
                "short",
                "`failed` and no `fetched`: nobody is let in once the present keys are too old.",
                "IssuerKeysMissing",
                [Query(f"sum by (result) (increase(access_key_fetches_total{only}[10m]))", "{{result}}")],
            ),
            Panel(
                "Requests counted against limits, a second",
                "reqps",
                "By limit. Nothing is counted where there is no limit.",
                "RateLimitSurge",
                [rate_by("budget", "rate_limit_decisions_total", only)],
            ),
            Panel(
                "Limits are counted without Redis",
                "bool",
                "1: Redis does not answer, so each process counts alone, and a caller may ask more.",
                "RateLimitSurge",
                [Query(f"max by (instance) (rate_limits_local{only})", "{{instance}}")],
            ),
        ],
    )
