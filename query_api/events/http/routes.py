"""`GET /v1/events` and `GET /v1/events/stream`: parameters, places in the log, answers."""

import random
from collections.abc import Sequence
from typing import Annotated

from fastapi import FastAPI, Query, Request
from starlette.responses import Response

from query_api.errors import MalformedHeader
from query_api.events.feed_event import FeedEvent
from query_api.events.http import sse
from query_api.events.http.schemas import POSITION_MAX, EventPageModel, EventParameters, StreamParameters
from query_api.events.http.streams import EventStreams
from query_api.events.http.ticket_access import STREAM_PATH
from query_api.events.http.tickets import Tickets
from query_api.events.pages import EventPages, PageQuery
from query_api.events.ports import EventFilter
from query_api.http import openapi
from query_api.http.application import AddRoutes
from query_api.http.preconditions import require_match
from query_api.http.route_parts import add_route, json_answer, refuse_repeats
from shared.access.caller import caller_in
from shared.access.scopes import Scope as Right
from shared.ops.http.asgi import Receive, Scope, Send
from shared.ops.http.request_layer import WAITED_SECONDS
from shared.ops.metrics.event_feed import EVENTS_SENT
from shared.ops.overload.place import resting

_NO_STORE = {"cache-control": "no-store"}
_STREAM = {"content-type": "text/event-stream", "cache-control": "no-cache", "x-accel-buffering": "no"}
# Clients of a process that has ended come back spread over these seconds.
_RETRY_MILLISECONDS = (1000, 5000)
_paged = EVENTS_SENT.labels("page")


def event_routes(pages: EventPages, streams: EventStreams, tickets: Tickets) -> AddRoutes:
    """The routes of the feed."""

    async def list_events(request: Request, parameters: Annotated[EventParameters, Query()]) -> Response:
        """Events in the order of the log. `next_cursor` also passes over what a filter leaves out."""
        refuse_repeats(request)
        asked = PageQuery(
            parameters.after or 0, parameters.wanted(), parameters.limit, parameters.wait, parameters.log_id
        )
        with resting():
            page = await pages.page(asked)
        request.scope[WAITED_SECONDS] = page.waited_seconds
        if request.method == "GET":
            _paged.inc(len(page.events))
        return json_answer(request, _body(page.events, page.log_position), _NO_STORE)

    async def stream_events(request: Request, parameters: Annotated[StreamParameters, Query()]) -> Response:
        """Events as they come, as server-sent events: `id` is the position, `event` the type, `data` the
        event as CloudEvents JSON. A block with an `id` alone moves the place.
        """
        refuse_repeats(request)
        require_match(request, None)
        if parameters.ticket is not None and caller_in(request.scope) is None:
            tickets.caller(parameters.ticket)  # access control has looked at it, where it is on
        wanted = parameters.wanted()
        last = _last_event_id(request)
        after = parameters.after if last is None else last
        with resting():
            start = await streams.start(pages, after, parameters.log_id)
        return StreamAnswer(streams, wanted, start)

    def add(app: FastAPI) -> None:
        add_route(
            app, "/v1/events", list_events, EventPageModel, openapi.EVENTS, openapi.IDENTITY,
            scope=Right.EVENTS_READ,
        )  # fmt: skip
        add_route(
            app, STREAM_PATH, stream_events, None, openapi.EVENT_STREAM, openapi.FOLLOWING,
            scope=Right.EVENTS_READ, response_class=Response,
        )  # fmt: skip

    return add


class StreamAnswer(Response):
    """Begins the answer; then the streams have it."""

    def __init__(self, streams: EventStreams, wanted: EventFilter, log_position: int) -> None:
        super().__init__(status_code=200)
        self.raw_headers = [(name.encode(), value.encode()) for name, value in _STREAM.items()]
        self._streams = streams
        self._wanted = wanted
        self._log_position = log_position

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
        if scope["method"] == "HEAD":
            await send({"type": "http.response.body", "body": b""})
            return
        # The place at once: a client that is cut off before the first event does not begin anew.
        wait_milliseconds = random.randint(*_RETRY_MILLISECONDS)  # noqa: S311
        first = sse.retry(wait_milliseconds) + sse.place(self._log_position)
        await send({"type": "http.response.body", "body": first, "more_body": True})
        self._streams.open(scope, self._wanted, self._log_position)


def _body(events: Sequence[FeedEvent], log_position: int) -> bytes:
    items = b",".join(event.json for event in events)
    return b'{"items":[%b],"next_cursor":"%d"}' % (items, log_position)


def _last_event_id(request: Request) -> int | None:
    text = request.headers.get("last-event-id")
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= len(str(POSITION_MAX))):
        raise MalformedHeader("Last-Event-ID", "is not a position of the log, in digits")
    return int(text)
