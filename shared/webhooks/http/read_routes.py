"""`GET /v1/webhook-endpoints`, one endpoint, and its deliveries, as both APIs serve them."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

import msgspec
from fastapi import FastAPI, Request
from pydantic import BaseModel
from starlette.responses import Response

from shared.access.caller import caller_in, may
from shared.access.http.framework import needs
from shared.access.scopes import Scope
from shared.ops.http.request_context import ANONYMOUS
from shared.ops.plain_values import canonical_uuid
from shared.webhooks.errors import BadParameter, EndpointNotFound, WebhooksOff
from shared.webhooks.http import openapi
from shared.webhooks.http.cursors import cursor, place_of
from shared.webhooks.http.models import (
    WebhookDeliveries,
    WebhookEndpoint,
    WebhookEndpoints,
    shown_deliveries,
    shown_endpoint,
)
from shared.webhooks.http.parameters import DeliveryParameters, Paging, parsed
from shared.webhooks.http.problems import answer_webhook_errors
from shared.webhooks.reading import Viewer, WebhookReads

SCOPE = Scope.EVENTS_READ
LIST_PATH = "/v1/webhook-endpoints"
ENDPOINT_PATH = LIST_PATH + "/{endpoint_id}"
DELIVERIES_PATH = ENDPOINT_PATH + "/deliveries"
Route = Callable[[Request], Awaitable[Response]]
_encode = msgspec.json.Encoder().encode
_NOT_KEPT = {"cache-control": "no-store"}
_ENDPOINTS = "endpoints"


def webhook_reads(reads: WebhookReads) -> Callable[[FastAPI], None]:
    """Adds the routes to an application that only reads. It needs no key."""

    def add(app: FastAPI) -> None:
        answer_webhook_errors(app)
        WebhookReadRoutes(reads).add(app, ("GET", "HEAD"))

    return add


class WebhookReadRoutes:
    """`reads` None: webhooks are off."""

    def __init__(self, reads: WebhookReads | None) -> None:
        self._given = reads

    def add(self, app: FastAPI, methods: Sequence[str]) -> None:
        """One operation for each method: otherwise OpenAPI would have one operation id twice."""
        for method in methods:
            for path, route, model, parameters in (
                (LIST_PATH, self.list_webhook_endpoints, WebhookEndpoints, openapi.PAGING),
                (ENDPOINT_PATH, self.get_webhook_endpoint, WebhookEndpoint, openapi.ENDPOINT),
                (DELIVERIES_PATH, self.list_webhook_deliveries, WebhookDeliveries, openapi.DELIVERIES),
            ):
                app.add_api_route(
                    path,
                    route,
                    methods=[method],
                    operation_id=route.__name__ if method == "GET" else f"head_{route.__name__}",
                    response_model=None,
                    responses=openapi.read_responses(model, has_etag=path == ENDPOINT_PATH),
                    openapi_extra={"parameters": list(parameters), **needs(SCOPE)},
                    tags=["webhook-endpoints" if method == "GET" else "head"],
                )

    async def list_webhook_endpoints(self, request: Request) -> Response:
        """Your webhook endpoints; with `ops:read`, everybody's."""
        reads, asked = self._reads(), parsed(Paging, request)
        place = place_of(asked.cursor, _ENDPOINTS)
        after = None if place is None else _id_in_cursor(place)
        found, last = await reads.endpoints(viewer_of(request), after, asked.limit)
        next_cursor = None if last is None else cursor(_ENDPOINTS, str(last))
        return _page(request, [shown_endpoint(each) for each in found], next_cursor)

    async def get_webhook_endpoint(self, request: Request) -> Response:
        """One webhook endpoint, and how far its deliveries are."""
        reads = self._reads()
        parsed(_NoParameters, request)
        shown = await reads.endpoint(viewer_of(request), endpoint_id_in(request))
        etag = f'"{shown.endpoint.stream_version}"'
        return _answer(request, shown_endpoint(shown), {"etag": etag})

    async def list_webhook_deliveries(self, request: Request) -> Response:
        """The messages to an endpoint, newest first, with every attempt."""
        reads, asked, endpoint_id = (
            self._reads(),
            parsed(DeliveryParameters, request),
            endpoint_id_in(request),
        )
        of_list = f"{endpoint_id} {asked.state}"
        place = place_of(asked.cursor, of_list)
        before = None if place is None else _number_in_cursor(place)
        found, last = await reads.deliveries(
            viewer_of(request), endpoint_id, asked.state, before, asked.limit
        )
        next_cursor = None if last is None else cursor(of_list, str(last))
        return _page(request, shown_deliveries(found), next_cursor)

    def _reads(self) -> WebhookReads:
        if self._given is None:
            raise WebhooksOff
        return self._given


class _NoParameters(BaseModel):
    """Every parameter is refused."""

    model_config = {"extra": "forbid"}


def viewer_of(request: Request) -> Viewer:
    """The caller; while access control is off everybody sees everything."""
    caller = caller_in(request.scope)
    return Viewer(ANONYMOUS if caller is None else caller.subject, may(request.scope, Scope.OPS_READ))


def endpoint_id_in(request: Request) -> UUID:
    """The id in the path. Raises `EndpointNotFound` for what is no id."""
    try:
        return canonical_uuid(request.path_params["endpoint_id"])
    except ValueError as error:
        raise EndpointNotFound from error


def _id_in_cursor(place: str) -> UUID:
    try:
        return canonical_uuid(place)
    except ValueError as error:
        raise BadParameter("cursor", "is not a cursor that this service gave out") from error


def _number_in_cursor(place: str) -> int:
    if not (place.isascii() and place.isdecimal() and len(place) <= openapi.DELIVERY_ID_DIGITS_MAX):
        raise BadParameter("cursor", "is not a cursor that this service gave out")
    return int(place)


def _page(request: Request, items: list[dict[str, Any]], next_cursor: str | None) -> Response:
    headers = {}
    if next_cursor is not None:
        parameters = {**request.query_params, "cursor": next_cursor}
        headers["link"] = f'<{request.scope["path"]}?{urlencode(parameters)}>; rel="next"'
    return _answer(request, {"items": items, "next_cursor": next_cursor}, headers)


def _answer(request: Request, answer: dict[str, Any], headers: dict[str, str]) -> Response:
    """200; a HEAD has GET's headers and no body."""
    body = _encode(answer)
    headers = {**headers, **_NOT_KEPT, "content-length": str(len(body))}
    return Response(b"" if request.method == "HEAD" else body, 200, headers, media_type="application/json")
