"""The routes of webhook endpoints."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import msgspec
from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response

from command_api.http.body import parse, read_body, require_media_type
from command_api.http.given import Given
from command_api.http.headers import actor_of, etag, refuse_preconditions, versions_wanted
from command_api.http.problems import HttpProblem
from command_api.webhooks import errors
from command_api.webhooks.commands import Done, Owner, Target, WebhookCommands
from command_api.webhooks.http import schemas
from command_api.webhooks.http.convert import changes, wanted
from command_api.webhooks.http.openapi import describes
from shared.access.caller import may
from shared.access.scopes import Scope
from shared.ops.http.problem import Problem
from shared.ops.logs import add_log_fields
from shared.ops.plain_values import whole_number
from shared.webhooks.endpoint import EndpointDocument
from shared.webhooks.errors import DeliveryNotFound, WebhooksOff
from shared.webhooks.http.models import endpoint_body
from shared.webhooks.http.problems import Row, answer_webhook_errors
from shared.webhooks.http.read_routes import (
    DELIVERIES_PATH,
    ENDPOINT_PATH,
    LIST_PATH,
    WebhookReadRoutes,
    endpoint_id_in,
)
from shared.webhooks.reading import WebhookReads

JSON = "application/json"
MERGE_PATCH = "application/merge-patch+json"
_PATCHES = (MERGE_PATCH, JSON)
_PROBLEMS: tuple[Row, ...] = (
    (errors.UrlRefused, 422, "webhook-url-refused", "Webhooks are not sent to this URL"),
    (errors.UnknownUrlHost, 422, "webhook-url-unknown-host", "The host of the URL is not known"),
    (errors.UnknownEventTypes, 422, "unknown-event-types", "There are no such events"),
    (errors.TooManyEndpoints, 409, "too-many-webhook-endpoints", "There are too many webhook endpoints"),
    (errors.EndpointVersionDiffers, 412, "version-does-not-match", "If-Match does not match"),
    (errors.EndpointKeepsChanging, 409, "version-conflict", "The webhook endpoint keeps changing"),
)
Route = Callable[[Request], Awaitable[Response]]
_encode = msgspec.json.Encoder().encode
_NOT_KEPT = {"cache-control": "no-store"}


class WebhookRoutes:
    """`commands` and `reads` None: webhooks are off. `read_url`: for Location."""

    def __init__(self, commands: WebhookCommands | None, reads: WebhookReads | None, read_url: str) -> None:
        self._given = commands
        self._reads = WebhookReadRoutes(reads)
        self._read_url = read_url

    def add(self, app: FastAPI) -> None:
        """Reads and writes."""
        answer_webhook_errors(app, _PROBLEMS)
        self._reads.add(app, ("GET",))
        one, written = ENDPOINT_PATH, schemas.WrittenWebhookEndpoint
        with_secret = schemas.WebhookEndpointWithSecret
        rotation = f"{one}:rotate-secret"
        for method, path, route, described in (
            ("POST", LIST_PATH, self.register_webhook_endpoint, describes(
                LIST_PATH, 201, with_secret, schemas.WebhookEndpointIn, (JSON,), has_etag=True)),
            ("PATCH", one, self.change_webhook_endpoint, describes(
                one, 200, written, schemas.WebhookEndpointPatch, _PATCHES,
                has_etag=True, takes_if_match=True)),
            ("DELETE", one, self.delete_webhook_endpoint, describes(one, 204, None, takes_if_match=True)),
            ("POST", rotation, self.rotate_webhook_secret, describes(
                rotation, 200, with_secret, schemas.KeyRotation, (JSON,),
                has_etag=True, takes_if_match=True, is_body_required=False)),
            ("POST", f"{one}:test", self.test_webhook_endpoint, describes(one, 202, schemas.RequestedTest)),
            ("POST", f"{one}:redeliver", self.redeliver_webhooks, describes(
                one, 202, None, schemas.RedeliveryAfter, (JSON,))),
            ("POST", f"{DELIVERIES_PATH}/{{delivery_id}}:redeliver", self.redeliver_webhook, describes(
                f"{one}/{{delivery_id}}", 202, None)),
        ):  # fmt: skip
            app.add_api_route(path, route, methods=[method], operation_id=route.__name__, **described)

    async def register_webhook_endpoint(self, request: Request) -> Response:
        """Register a webhook endpoint. Events that are recorded from now on are sent to it. The secret
        is shown once.
        """
        commands, given = self._commands(), _given(request, ())
        require_media_type(given, JSON)
        body = parse(schemas.WebhookEndpointIn, await read_body(request))
        done = await commands.register(_owner(request, given), wanted(body))
        add_log_fields(endpoint_id=str(done.endpoint_id))
        location = f"{self._read_url}{LIST_PATH}/{done.endpoint_id}"
        return _written(201, done, {"location": location})

    async def change_webhook_endpoint(self, request: Request) -> Response:
        """Change a webhook endpoint by JSON merge patch, pause it, or let it go on. While it is paused,
        events wait in the log.
        """
        commands, given = self._commands(), _given(request)
        require_media_type(given, *_PATCHES)
        body = parse(schemas.WebhookEndpointPatch, await read_body(request))
        return _written(200, await commands.change(_target(request, given), changes(body)))

    async def delete_webhook_endpoint(self, request: Request) -> Response:
        """Delete a webhook endpoint; what waits for it is not sent."""
        commands, given = self._commands(), _given(request)
        await commands.delete(_target(request, given))
        return Response(status_code=204, headers=_NOT_KEPT)

    async def rotate_webhook_secret(self, request: Request) -> Response:
        """Make a new key; the secret is shown once. The present key signs, too, for `old_key_hours`; a key
        before that one no more.
        """
        commands, given = self._commands(), _given(request)
        raw = await read_body(request)
        if raw:
            require_media_type(given, JSON)
        rotation = parse(schemas.KeyRotation, raw) if raw else schemas.KeyRotation()
        return _written(200, await commands.rotate_key(_target(request, given), rotation.old_key_hours))

    async def test_webhook_endpoint(self, request: Request) -> Response:
        """Send a message of type `webhook.test`."""
        commands, given = self._commands(), _given(request, ())
        webhook_id = await commands.request_test(_target(request, given))
        return _answer(202, {"webhook_id": webhook_id})

    async def redeliver_webhooks(self, request: Request) -> Response:
        """Send all events after a log position again."""
        commands, given = self._commands(), _given(request, ())
        require_media_type(given, JSON)
        body = parse(schemas.RedeliveryAfter, await read_body(request))
        await commands.request_redelivery_after(_target(request, given), body.after)
        return Response(status_code=202, headers=_NOT_KEPT)

    async def redeliver_webhook(self, request: Request) -> Response:
        """Send one message again."""
        commands, given = self._commands(), _given(request, ())
        try:
            delivery_id = whole_number(request.path_params["delivery_id"])
        except ValueError as error:
            raise DeliveryNotFound from error
        await commands.request_redelivery(_target(request, given), delivery_id)
        return Response(status_code=202, headers=_NOT_KEPT)

    def _commands(self) -> WebhookCommands:
        if self._given is None:
            raise WebhooksOff
        return self._given


def _given(request: Request, preconditions: tuple[str, ...] = ("If-Match",)) -> Given:
    """Raises 400 for a precondition or a header that would not have the effect that its sender expects."""
    given = Given.of(request)
    refuse_preconditions(given, preconditions)
    if given.has(b"idempotency-key"):
        # An answer with a secret must not be stored, and most other commands may be repeated.
        detail = "Idempotency-Key is not supported here; If-Match makes a change happen once"
        problem = Problem(400, "idempotency-key-not-supported", "Unsupported Idempotency-Key", detail)
        raise HttpProblem(problem)
    return given


def _owner(request: Request, given: Given) -> Owner:
    return Owner(actor_of(given), may(request.scope, Scope.OPS_WRITE))


def _target(request: Request, given: Given) -> Target:
    endpoint_id = endpoint_id_in(request)
    add_log_fields(endpoint_id=str(endpoint_id))
    return Target(_owner(request, given), endpoint_id, versions_wanted(given))


def _written(status: int, done: Done, headers: dict[str, str] | None = None) -> Response:
    document = done.document
    body = endpoint_body(done.endpoint_id, done.stream_version, document, _old_key_expires_at(document))
    body["status"] = "enabled" if document.is_enabled else "paused"
    if done.secret is not None:
        body["secret"] = done.secret
    return _answer(status, body, {"etag": etag(done.stream_version), **(headers or {})})


def _old_key_expires_at(document: EndpointDocument) -> datetime | None:
    now = datetime.now(UTC)
    times = [key.expires_at for key in document.keys if key.expires_at is not None and key.expires_at > now]
    return max(times, default=None)


def _answer(status: int, body: dict[str, Any], headers: dict[str, str] | None = None) -> Response:
    return Response(_encode(body), status, {**_NOT_KEPT, **(headers or {})}, media_type=JSON)
