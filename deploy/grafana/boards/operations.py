"""What waits for an operator: dead letters, stopped and paused projections, rebuilds, mails, lost lines."""

from deploy.grafana.board import WINDOW, Board, Panel, Query, Row, rate_by
from deploy.grafana.boards.processes import COULD_NOT
from deploy.grafana.boards.webhooks import WEBHOOKS

OPERATIONS = Board(
    "operations",
    "Catalogue: operations",
    "**What waits for an operator?** Dead letters, projections that do not go on, rebuilds, mails, and "
    "what the processes could not say. "
    "In a healthy system nearly all of these are 0.",
    [
        Row(
            "Dead letters and projections",
            [
                Panel(
                    "Dead letters",
                    "short",
                    "Each waits for an operator.",
                    "ProductsParked",
                    [Query("max by (projection) (projection_dead_letters)", "{{projection}}")],
                ),
                Panel(
                    "Parked products",
                    "short",
                    "They are shown as they were before.",
                    "ProductsParked",
                    [Query("max by (projection) (projection_parked_products)", "{{projection}}")],
                ),
                Panel(
                    "Age of the oldest dead letter",
                    "s",
                    "0: there is none.",
                    "ProductsParked",
                    [Query("max by (projection) (projection_dead_letters_oldest_seconds)", "{{projection}}")],
                ),
                Panel(
                    "Records a second into dead-letter topics",
                    "ops",
                    "Copies for people.",
                    "DeadLettersGrow",
                    [rate_by("topic", "dead_letters_published_total")],
                ),
                Panel(
                    "Stopped",
                    "short",
                    "1, or the number of stopped partitions.",
                    "ProjectionStopped",
                    [
                        Query("max by (projection) (projection_stopped)", "{{projection}} stopped"),
                        Query(
                            "max by (projection) (projection_partitions_stopped)", "{{projection}} partitions"
                        ),
                    ],
                ),
                Panel(
                    "Waits, because too many products fail",
                    "bool",
                    "It parks no more of them: a bad release, or a broken table.",
                    "ProjectionBreakerOpen",
                    [Query("max by (projection) (projection_breaker_open)", "{{projection}}")],
                ),
                Panel(
                    "Paused",
                    "bool",
                    "By an operator; `python -m projector audit` says who and why.",
                    "ProjectionPaused",
                    [Query("max by (projection) (projection_paused)", "{{projection}}")],
                ),
            ],
        ),
        Row(
            "Verification: are the views what the log says?",
            [
                Panel(
                    "Differences that verify found",
                    "short",
                    "0 is right. The runbook says how to repair a view. NaN: never verified.",
                    "ViewDiffers",
                    [Query("max by (projection) (view_verification_differences)", "{{projection}}")],
                ),
                Panel(
                    "Time since the whole view was verified",
                    "s",
                    "A day is usual. Above 30 hours the schedule does not work.",
                    "VerificationOld",
                    [
                        Query(
                            "time() - max by (projection) (view_unverified_since_timestamp_seconds)",
                            "{{projection}}",
                        )
                    ],
                ),
            ],
        ),
        Row(
            "Rebuilds",
            [
                Panel(
                    "Share of the log that is read",
                    "percentunit",
                    "Of the first pass. No line: no rebuild.",
                    "RebuildStuck",
                    [
                        Query(
                            "max by (projection) (rebuild_position) / (max by (projection) "
                            "(rebuild_target_position) > 0)",
                            "{{projection}}",
                        )
                    ],
                ),
                Panel(
                    "Events a second",
                    "ops",
                    "That a rebuild applies.",
                    "RebuildStuck",
                    [Query(f"max by (projection) (deriv(rebuild_events[{WINDOW}]))", "{{projection}}")],
                ),
                Panel(
                    "Time since the last progress",
                    "s",
                    "Minutes: its process may be dead.",
                    "RebuildStuck",
                    [Query("max by (projection) (rebuild_changed_seconds)", "{{projection}}")],
                ),
            ],
        ),
        Row(
            "Mails",
            [
                Panel(
                    "Mails a minute by outcome",
                    "short",
                    "Anything but `sent` and `already ...` is a failure.",
                    "MailsFail",
                    [Query(f"sum by (outcome) (rate(notifications_total[{WINDOW}])) * 60", "{{outcome}}")],
                ),
                Panel(
                    "Mails with an unknown outcome in an hour",
                    "short",
                    "Perhaps sent, perhaps not: an operator decides.",
                    "MailOutcomeUnknown",
                    [
                        Query(
                            'sum(increase(notifications_total{outcome="unknown"}[1h])) or vector(0)', "mails"
                        )
                    ],
                ),
                Panel(
                    "Age of the oldest event that waits for a digest",
                    "s",
                    "Up to a window (60 s) is usual.",
                    "DigestsLate",
                    [Query("max(notifications_waiting_oldest_seconds)", "oldest")],
                ),
                Panel(
                    "Events that wait for a digest",
                    "short",
                    "Many in an import.",
                    "DigestsLate",
                    [Query("max(notifications_waiting)", "events")],
                ),
                Panel(
                    "Records put off, a minute",
                    "short",
                    "Mails that failed and are tried again later, by the topic in which they wait.",
                    "MailsFail",
                    [Query(f"sum by (topic) (rate(retry_records_total[{WINDOW}])) * 60", "{{topic}}")],
                ),
            ],
        ),
        WEBHOOKS,
        COULD_NOT,
    ],
)
