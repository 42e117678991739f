"""Readers with a Consistency-Token: how many wait, how long, and with which end."""

from deploy.grafana.board import Panel, Query, Row, quantiles, rate_by

WAITING_READERS = Row(
    "Readers that wait for their own write",
    [
        Panel(
            "Readers that wait",
            "short",
            "Rises when a view is late.",
            "ErrorBudgetBurns-freshness",
            [Query("sum(consistency_waiting_readers)", "readers")],
        ),
        Panel(
            "Waits a second by result",
            "ops",
            "`behind`: 503, the write was not visible in time.",
            "ErrorBudgetBurns-freshness",
            [rate_by("result", "consistency_wait_seconds_count")],
        ),
        Panel(
            "Writes read from the event log, a second",
            "ops",
            "`found`: no wait for the projector. `absent`: the log is a replica that is behind.",
            "ErrorBudgetBurns-freshness",
            [rate_by("result", "latest_reads_total")],
        ),
        Panel(
            "Duration of a wait",
            "s",
            "As long as the pipeline takes.",
            "ErrorBudgetBurns-freshness",
            quantiles("consistency_wait_seconds"),
        ),
    ],
)
