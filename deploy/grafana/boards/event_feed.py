"""Subscribers over HTTP: how many follow the events, what they get, and why their streams end."""

from deploy.grafana.board import Panel, Query, Row, rate_by

EVENT_FEED = Row(
    "Subscribers over HTTP",
    [
        Panel(
            "Open streams",
            "short",
            "Of all processes. At `EVENT_STREAM_CLIENTS_MAX` in each, new ones get 503.",
            "RequestsShed",
            [Query("sum(event_streams)", "streams")],
        ),
        Panel(
            "Events sent a second",
            "ops",
            "Each counted for every subscriber who got it.",
            "RequestsShed",
            [rate_by("way", "events_sent_total")],
        ),
        Panel(
            "Ends of streams a second",
            "ops",
            "`slow`: the client did not read. `log`: the event log was restored, or cannot be followed.",
            "RequestsShed",
            [rate_by("reason", "event_streams_ended_total")],
        ),
        Panel(
            "Processes that ask the log",
            "short",
            "While somebody waits. 0 with open streams is a defect.",
            "RequestsShed",
            [Query("sum(event_tail_running)", "processes")],
        ),
    ],
)
