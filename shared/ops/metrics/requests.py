"""HTTP of both APIs. The operations ports are not counted: their callers are probes and scrapes."""

from shared.ops.metrics.declare import FAST_SECONDS, Label, counter, gauge, histogram

# Reasons of refusals behind the work queue.
APPEND_QUEUE, PRODUCT_QUEUE, KEY_QUEUE = "append-queue", "product-queue", "key-queue"
TABLE_QUEUE, SEARCH_QUEUE, WAITING_READERS = "table-queue", "search-queue", "waiting-readers"
EXPORTS, EVENT_STREAMS = "exports", "event-streams"

HTTP_REQUEST_DURATION_SECONDS = histogram(
    "http_server_request_duration_seconds",
    "seconds",
    "Time from a request's first byte to the last byte of its answer, or to the first one of an export. Its "
    "count is the number of requests.",
    Label("method", "the HTTP method; `other` for one that does not exist"),
    Label("route", "the route's template, such as `/v1/products/{product_id}`; `unmatched` if there is none"),
    Label("status", "the answer's status; `0` if the client left before an answer"),
    buckets=FAST_SECONDS,
)
HTTP_REQUESTS_IN_FLIGHT = gauge(
    "http_server_requests_in_flight",
    "requests",
    "Requests that have begun and are not answered. Reads that the cache answers are not counted.",
)
HTTP_REQUESTS_SHED = counter(
    "http_server_requests_shed_total",
    "requests",
    "Requests refused with 503 because of overload, wherever; nothing was done for them. Each operation of a "
    "batch that is refused counts as one. Commands are also `unavailable` in `commands_total`.",
    Label(
        "reason",
        "too-many-requests, too-many-bytes (of bodies): a limit of what is in progress. waited: too long "
        "for a place. expected-wait: it would have waited too long. loop-delay: the event loop is too late. "
        "append-queue, product-queue, key-queue: a command waited too long, or would, for its append call, "
        "for earlier commands for its product, or for the first one with its idempotency key. table-queue: a "
        "read, for PostgreSQL. search-queue: a search, for its turn. waiting-readers: "
        "too many wait for their own writes. exports, event-streams: too many run",
        (
            "too-many-requests",
            "too-many-bytes",
            "waited",
            "expected-wait",
            "loop-delay",
            APPEND_QUEUE,
            PRODUCT_QUEUE,
            KEY_QUEUE,
            TABLE_QUEUE,
            SEARCH_QUEUE,
            WAITING_READERS,
            EXPORTS,
            EVENT_STREAMS,
        ),
    ),
)
