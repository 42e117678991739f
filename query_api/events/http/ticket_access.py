"""Tickets at the door: who calls without a token, and the route that gives tickets to who has one.

It is a GET: nothing is kept of a ticket, and a gateway leads everything but reads to the command API.
"""

from datetime import UTC, datetime
from urllib.parse import parse_qs

import msgspec
from fastapi import FastAPI, Request
from starlette.responses import Response

from query_api.events.http.schemas import TicketModel
from query_api.events.http.tickets import Tickets
from query_api.http import openapi
from query_api.http.application import AddRoutes
from query_api.http.route_parts import add_route, json_answer, refuse_parameters
from shared.access.caller import Caller, caller_in
from shared.access.errors import InvalidToken
from shared.access.scopes import Scope as Right
from shared.ops.http.asgi import Scope
from shared.ops.http.request_context import ANONYMOUS

STREAM_PATH = "/v1/events/stream"
TICKET_PARAMETER = "ticket"


def caller_by_ticket(tickets: Tickets, scope: Scope) -> Caller | None:
    """The caller of a stream whose address has a ticket; None: there is none. Raises `InvalidToken`."""
    if scope["path"] != STREAM_PATH or b"ticket=" not in scope["query_string"]:
        return None
    given = parse_qs(scope["query_string"].decode("latin-1"), keep_blank_values=True).get(TICKET_PARAMETER)
    if given is None:
        return None
    caller = tickets.caller(given[0])
    if caller.subject == ANONYMOUS:
        raise InvalidToken("the ticket was made without access control")
    return caller


def ticket_route(tickets: Tickets) -> AddRoutes:
    """`GET /v1/events/stream-ticket`."""

    async def get_stream_ticket(request: Request) -> Response:
        """A ticket with which a page begins a stream within a minute: `?ticket=` instead of a token."""
        refuse_parameters(request)
        ticket = tickets.issue(caller_in(request.scope))
        expires_at = datetime.fromtimestamp(ticket.expires_at, UTC)
        body = msgspec.json.encode({"ticket": ticket.text, "expires_at": expires_at})
        return json_answer(request, body, {"cache-control": "no-store"})

    def add(app: FastAPI) -> None:
        add_route(
            app, "/v1/events/stream-ticket", get_stream_ticket, TicketModel, openapi.STREAM_TICKET,
            openapi.IDENTITY, scope=Right.EVENTS_READ,
        )  # fmt: skip

    return add
