"""The parts of the feed, wired: it reads by the bulkhead and pool of the past, so it adds no connection."""

from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from functools import partial
from typing import NamedTuple

from query_api.events.http.routes import event_routes
from query_api.events.http.streams import EventStreams, StreamLimits
from query_api.events.http.ticket_access import caller_by_ticket, ticket_route
from query_api.events.http.tickets import Tickets
from query_api.events.pages import EventPages
from query_api.events.postgres.event_log import PostgresEventLog
from query_api.events.tail import Tail, TailTimes
from query_api.events.window import Window
from query_api.http.application import AddRoutes
from query_api.postgres.bounded_reads import BoundedReads
from query_api.settings import QuerySettings
from shared.access.http.layer import FindCaller
from shared.ops.metrics.event_feed import EVENT_TAIL_RUNNING


class EventParts(NamedTuple):
    """The routes, and what access control asks of a request without a token. `stop` ends all streams and
    waits; call it before the server stops.
    """

    routes: Sequence[AddRoutes]
    caller_by_ticket: FindCaller
    stop: Callable[[], None]


def event_parts(settings: QuerySettings, reads: BoundedReads, stack: AsyncExitStack) -> EventParts:
    """Nothing runs until a subscriber comes."""
    log = PostgresEventLog(reads)
    window = Window(events_max=settings.event_window_events_max, bytes_max=settings.event_window_bytes_max)
    times = TailTimes(settings.event_poll_seconds, start_seconds_max=settings.table_wait_seconds_max)
    tail = Tail(log, window, times)
    stack.push_async_callback(tail.close)
    EVENT_TAIL_RUNNING.set_function(lambda: tail.is_running)
    limits = StreamLimits(
        settings.event_stream_clients_max,
        settings.event_stream_bytes_max,
        settings.event_stream_heartbeat_seconds,
        settings.event_stream_seconds_max,
    )
    streams = EventStreams(tail, log, limits)
    stack.push_async_callback(streams.close)
    pages = EventPages(log, tail)

    def stop() -> None:
        pages.stop()
        streams.stop()

    tickets = Tickets(settings.cursor_signing_key.read().encode())
    routes = event_routes(pages, streams, tickets), ticket_route(tickets)
    return EventParts(routes, partial(caller_by_ticket, tickets), stop)
