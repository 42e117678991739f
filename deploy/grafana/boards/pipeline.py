"""The way of an event from the log to a view: a row for each hop, with its rate, age and lag."""

from deploy.grafana.board import WINDOW, Board, Panel, Query, Row, quantiles, rate_by

PIPELINE = Board(
    "pipeline",
    "Catalogue: pipeline",
    "**Where does an event wait?** Log, relay, topic, projection, view: a row for each hop, with the rate, "
    "the age of the oldest event that "
    "waits, and how many wait. Read from the top: the first hop with an age is the cause, those below it "
    "only follow.",
    [
        Row(
            "Append: from commands to the log",
            [
                Panel(
                    "Events a second into the log",
                    "ops",
                    "The rate that all hops below must reach.",
                    "RelayStuck",
                    [Query(f"sum(rate(events_appended_total[{WINDOW}]))", "events")],
                ),
                Panel(
                    "Age of the oldest command that waits",
                    "s",
                    "For the next append call.",
                    "ErrorBudgetBurns-command-latency",
                    [Query("max(event_append_waiting_oldest_seconds)", "oldest")],
                ),
                Panel(
                    "Commands that wait",
                    "short",
                    "For the next append call.",
                    "ErrorBudgetBurns-command-latency",
                    [Query("sum(event_append_waiting_commands)", "commands")],
                ),
            ],
        ),
        Row(
            "Relay: from the log to Kafka",
            [
                Panel(
                    "Events a second to Kafka",
                    "ops",
                    "Confirmed by Kafka.",
                    "RelayStuck",
                    [Query(f"sum(rate(relay_batch_events_sum[{WINDOW}]))", "events")],
                ),
                Panel(
                    "Age of the oldest event not in Kafka",
                    "s",
                    "Above 30 s somebody is called.",
                    "RelayStuck",
                    [Query("max(relay_lag_seconds)", "oldest")],
                ),
                Panel(
                    "Events not in Kafka",
                    "short",
                    "Rises in an import, then falls.",
                    "RelayStuck",
                    [Query("max(relay_lag_events)", "events")],
                ),
                Panel(
                    "From commit to Kafka",
                    "s",
                    "The objective: 99 % within 1 s.",
                    "ErrorBudgetBurns-delivery",
                    quantiles("relay_delivery_seconds"),
                ),
                Panel(
                    "Interruptions an hour by reason",
                    "short",
                    "0 is usual.",
                    "RelayStuck",
                    [Query("sum by (reason) (increase(relay_restarts_total[1h]))", "{{reason}}")],
                ),
                Panel(
                    "Active relays",
                    "short",
                    "Exactly one.",
                    "RelayMissing",
                    [Query("sum(relay_active)", "active")],
                ),
            ],
        ),
        Row(
            "Topic: what the broker knows, also when the projector is dead",
            [
                Panel(
                    "Records a second into each topic",
                    "ops",
                    "Each event goes into products-events and into one topic of its kind.",
                    "RelayStuck",
                    [rate_by("topic", "kafka_publish_total", '{result="confirmed"}')],
                ),
                Panel(
                    "Age of the oldest event not committed",
                    "s",
                    "By consumer group. Other services on our topics are here, too.",
                    "ConsumerGroupLate",
                    [
                        Query(
                            "max by (group, topic) (consumer_group_oldest_waiting_seconds)",
                            "{{group}} {{topic}}",
                        )
                    ],
                ),
                Panel(
                    "Records not committed",
                    "short",
                    "By consumer group. No line: the relay sees no group.",
                    "ConsumerGroupsUnseen",
                    [Query("max by (group, topic) (consumer_group_lag_events)", "{{group}} {{topic}}")],
                ),
            ],
        ),
        Row(
            "Projections: from the topic into views",
            [
                Panel(
                    "Events a second by projection",
                    "ops",
                    "All results together.",
                    "ProjectionLate",
                    [rate_by("projection", "projector_events_total")],
                ),
                Panel(
                    "Age of the oldest event that waits",
                    "s",
                    "Above 60 s somebody is called. `retry`: mails that wait for their next attempt on "
                    "purpose.",
                    "ProjectionLate",
                    [Query("max by (projection) (projection_lag_seconds)", "{{projection}}")],
                ),
                Panel(
                    "Events that wait",
                    "short",
                    "Over all partitions.",
                    "ProjectionLate",
                    [Query("sum by (projection) (projection_lag_events)", "{{projection}}")],
                ),
                Panel(
                    "Events a second by result",
                    "ops",
                    "`parked`: became a dead letter. `duplicate`: delivered again, without effect.",
                    "DeadLettersGrow",
                    [rate_by("result", "projector_events_total")],
                ),
                Panel(
                    "Follows the shared reader",
                    "bool",
                    "0: it reads Kafka by itself: it lags, was just placed, or is alone in its process.",
                    "ProjectionLate",
                    [Query("min by (projection) (projection_follows_shared_reader)", "{{projection}}")],
                ),
                Panel(
                    "Duration of a batch (p99)",
                    "s",
                    "With retries. If it grows, so do the age and the lag.",
                    "ProjectionLate",
                    quantiles("projection_batch_seconds", by="projection", shares=(0.99,)),
                ),
                Panel(
                    "Failed attempts a minute by error class",
                    "short",
                    "`transient`: a server did not answer; tried again.",
                    "ProjectionRetries",
                    [
                        Query(
                            f"sum by (error_class) (rate(projection_errors_total[{WINDOW}])) * 60",
                            "{{error_class}}",
                        )
                    ],
                ),
            ],
        ),
        Row(
            "Views: what readers see",
            [
                Panel(
                    "From commit to the view (p99)",
                    "s",
                    "The objective: 99.5 % of events within 2 s.",
                    "ErrorBudgetBurns-freshness",
                    quantiles("projection_freshness_seconds", by="projection", shares=(0.99,)),
                ),
                Panel(
                    "Age of the oldest state not in products-state",
                    "s",
                    "For services that read the latest states.",
                    "StatesLate",
                    [Query("max(states_waiting_oldest_seconds)", "oldest")],
                ),
                Panel(
                    "States a second into products-state",
                    "ops",
                    "Documents, and tombstones of deleted products.",
                    "StatesLate",
                    [rate_by("kind", "states_published_total")],
                ),
                Panel(
                    "Differences that verify found",
                    "short",
                    "0: the view is what the log says. Anything else pages somebody.",
                    "ViewDiffers",
                    [Query("max by (projection) (view_verification_differences)", "{{projection}}")],
                ),
                Panel(
                    "States not in products-state",
                    "short",
                    "Rises in an import, then falls.",
                    "StatesLate",
                    [Query("max(states_waiting)", "states")],
                ),
                Panel(
                    "Log position by hop",
                    "short",
                    "The lines rise together. One that stays flat while the relay's rises does not go on.",
                    "ProjectionLate",
                    [
                        Query("max(relay_position)", "relay"),
                        Query("max by (projection) (projection_position)", "{{projection}}"),
                    ],
                ),
            ],
        ),
    ],
)
