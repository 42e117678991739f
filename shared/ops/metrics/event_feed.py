"""Query API: the feed of events, as pages and as streams."""

from shared.ops.metrics.declare import Label, counter, gauge

EVENT_STREAMS = gauge("event_streams", "streams", "Clients that follow the events in a stream.")
EVENTS_SENT = counter(
    "events_sent_total",
    "events",
    "Events that subscribers got, each counted for every one who got it.",
    Label("way", "page: `GET /v1/events`; stream: `GET /v1/events/stream`", ("page", "stream")),
)
EVENT_STREAMS_ENDED = counter(
    "event_streams_ended_total",
    "streams",
    "Streams that ended.",
    Label(
        "reason",
        "left: the client closed it, or its connection was lost; slow: the client did not read; old: "
        "`EVENT_STREAM_SECONDS_MAX`; stop: the process stops; log: the log went back, or cannot be followed",
        ("left", "slow", "old", "stop", "log"),
    ),
)
EVENT_TAIL_RUNNING = gauge(
    "event_tail_running", "0 or 1", "1 while somebody waits for events, so that the log's end is read."
)
