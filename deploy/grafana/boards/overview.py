"""Overview: are the objectives kept, and if not, where is the fault."""

from deploy.grafana.board import WINDOW, Board, Panel, Query, Row, quantiles

_REQUESTS = "http_server_request_duration_seconds_count"


def _budget(objective: str, promise: str) -> Panel:
    return Panel(
        f"Budget left: {objective}",
        "percentunit",
        f"{promise} What is left of what may fail in 30 days; below 0 the objective is missed.",
        f"ErrorBudgetBurns-{objective}",
        [Query(f'slo:budget_left:30d{{slo="{objective}"}}', "left")],
        "stat",
    )


OVERVIEW = Board(
    "overview",
    "Catalogue: overview",
    "**Is the catalogue well?** The objectives and what is left of their budgets; how fast the budgets are "
    "used; where an event waits. "
    "Then go on to the board of the part that is red. *docs/observability.md* has the arithmetic.",
    [
        Row(
            "Objectives",
            [
                _budget("command-availability", "99.9 % of commands are answered without 5xx."),
                _budget("command-latency", "99 % of commands are answered within 250 ms."),
                _budget("query-availability", "99.95 % of reads are answered without 5xx."),
                _budget("query-latency", "99 % of reads are answered within 100 ms."),
                _budget("freshness", "99.5 % of events are readable within 2 s."),
                _budget("delivery", "99 % of events are in Kafka within 1 s."),
                Panel(
                    "Correctness: differences",
                    "short",
                    "In the view with most. 0: each view is what the log says. NaN: nobody has verified one.",
                    "ViewDiffers",
                    [Query("max(view_verification_differences)", "differences")],
                    "stat",
                ),
            ],
        ),
        Row(
            "How fast the budgets are used",
            [
                Panel(
                    "Factor in the last hour",
                    "short",
                    "1: the budget lasts 30 days. Above 14.4 somebody is called.",
                    "ErrorBudgetBurns-command-availability",
                    [Query("slo:bad_ratio:1h / slo:budget:ratio", "{{slo}}")],
                ),
                Panel(
                    "Factor in the last 5 minutes",
                    "short",
                    "What happens now. It clears the alert soon after the fault.",
                    "ErrorBudgetBurns-query-availability",
                    [Query("slo:bad_ratio:5m / slo:budget:ratio", "{{slo}}")],
                ),
                Panel(
                    "Alerts that fire",
                    "short",
                    "Each has a runbook of its name.",
                    "NoScrape",
                    [
                        Query(
                            'count by (alertname, severity) (ALERTS{alertstate="firing"})',
                            "{{alertname}} {{severity}}",
                        )
                    ],
                ),
            ],
        ),
        Row(
            "Traffic and waiting",
            [
                Panel(
                    "Requests a second",
                    "reqps",
                    "Both APIs. Compare with the same time of another day.",
                    "RequestsShed",
                    [Query(f"sum by (job) (rate({_REQUESTS}[{WINDOW}]))", "{{job}}")],
                ),
                Panel(
                    "Share of 5xx",
                    "percentunit",
                    "0 is usual. 503 with Retry-After is an answer under overload, and counts too.",
                    "ErrorBudgetBurns-command-availability",
                    [
                        Query(
                            f'(sum by (job) (rate({_REQUESTS}{{status=~"5.."}}[{WINDOW}]))'
                            f" or sum by (job) (rate({_REQUESTS}[{WINDOW}])) * 0)"
                            f" / sum by (job) (rate({_REQUESTS}[{WINDOW}]))",
                            "{{job}}",
                        )
                    ],
                ),
                Panel(
                    "Age of the oldest event that waits",
                    "s",
                    "At each hop: for Kafka, for a projection, for the topic of states. Seconds are usual "
                    "in an import, minutes are not.",
                    "ProjectionLate",
                    [
                        Query("max(relay_lag_seconds)", "for Kafka"),
                        Query("max by (projection) (projection_lag_seconds)", "for {{projection}}"),
                        Query("max(states_waiting_oldest_seconds)", "for products-state"),
                    ],
                ),
                Panel(
                    "From commit to readable",
                    "s",
                    "99 of 100 events are readable within this time. The objective is 2 s.",
                    "ErrorBudgetBurns-freshness",
                    quantiles(
                        "projection_freshness_seconds",
                        '{projection=~"product_view|product_cache"}',
                        "projection",
                        [0.99],
                    ),
                ),
                Panel(
                    "From commit to Kafka",
                    "s",
                    "99 of 100 events are confirmed within this time. The objective is 1 s.",
                    "ErrorBudgetBurns-delivery",
                    quantiles("relay_delivery_seconds"),
                ),
                Panel(
                    "Processes that answer",
                    "short",
                    "How many of each kind Prometheus reaches.",
                    "NoScrape",
                    [Query('sum by (job) (up{job=~"command-api|query-api|projector|relay"})', "{{job}}")],
                ),
            ],
        ),
    ],
)
