"""Panels about the room of the log: how long commands can still be written."""

from deploy.grafana.board import Panel, Query

LOG_ROOM = [
    Panel(
        "Prepared log partitions",
        "short",
        "Below 1 the log will soon accept nothing.",
        "LogPartitionsRunOut",
        [
            Query("min(event_partitions_ahead)", "empty partitions"),
        ],
    ),
    Panel(
        "Empty log partitions, fewest of the last hour",
        "short",
        "2 or more is usual: a missing one is made within a minute.",
        "LogPartitionsFew",
        [Query("min(min_over_time(event_partitions_ahead[1h]))", "empty partitions")],
    ),
    Panel(
        "Time until the log is full",
        "s",
        "At the rate of the last hour, if no partition were made. Four hours page.",
        "LogFillsUp",
        [
            Query(
                "min(event_positions_left) / sum(rate(events_appended_total[1h]))",
                "until the last prepared partition is full",
            )
        ],
    ),
]
