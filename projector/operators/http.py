"""Operators' endpoints on the operations port: the same as the commands, for those who have no shell.

    GET  /dead-letters?projection=&product=&class=            what is parked
    GET  /dead-letters/records?projection=&product=&letter=   the records themselves
    POST /dead-letters/retry     a `Change`: which letters, from_log, resend_unknown, dry_run
    POST /dead-letters/discard   a `Change`: which letters, first_only, dry_run, reason
    POST /dead-letters/park      a `ParkOrder`
    POST /projections/pause      a `Wish` with its reason
    POST /projections/resume     a `Wish`

The port has no authentication and listens on 127.0.0.1 unless told otherwise: it is not for the outside.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeVar
from urllib.parse import parse_qsl
from uuid import UUID

import msgspec
from msgspec import Struct

from projector.applying.ports import Action
from projector.errors import ProjectorError
from projector.operators.operations import Chosen, Operations, UnknownProjection
from shared.ops.http import json_text
from shared.ops.http.asgi import ClientLeft, Handler, Headers, Receive, Scope, Send, respond
from shared.ops.http.content import refused_content
from shared.ops.http.problem import CONTENT_TYPE, Problem, problem_body
from shared.ops.plain_values import canonical_uuid, whole_number

_BODY_BYTES_MAX = 64 * 1024
S = TypeVar("S", bound=Struct)
_encode = msgspec.json.Encoder(enc_hook=str).encode


class Change(Struct, forbid_unknown_fields=True, rename={"error_class": "class"}):
    """Which letters, and what else the action needs."""

    projection: str
    product: UUID | None = None
    letter: int | None = None
    error_class: str | None = None
    all: bool = False
    from_log: bool = False
    resend_unknown: bool = False
    first_only: bool = False
    dry_run: bool = False
    reason: str = ""
    actor: str = "operations port"

    def chosen(self) -> Chosen:
        """Raises `ValueError` where nothing narrows it and `all` is not said."""
        if not (self.product or self.letter is not None or self.error_class or self.all):
            raise ValueError("say which: product, letter, class or all")
        return Chosen(self.projection, self.product, self.letter, self.error_class)


class ParkOrder(Struct, forbid_unknown_fields=True):
    """One record that a projection cannot get past."""

    projection: str
    partition: int
    offset: int
    reason: str
    actor: str = "operations port"


class Wish(Struct, forbid_unknown_fields=True):
    """Pause or resume."""

    projection: str
    reason: str = ""
    actor: str = "operations port"


def operator_endpoints(operations: Operations) -> Mapping[tuple[str, str], Handler]:
    """By (method, path), for `operations_app`."""

    async def listed(query: dict[str, str], _: bytes) -> Any:
        product = canonical_uuid(query["product"]) if "product" in query else None
        return await operations.dead_letters(query.get("projection"), product, query.get("class"))

    async def records(query: dict[str, str], _: bytes) -> Any:
        product = canonical_uuid(query["product"]) if "product" in query else None
        letter = whole_number(query["letter"]) if "letter" in query else None
        return await operations.show(query.get("projection"), product, letter)

    async def retry(_: dict[str, str], body: bytes) -> Any:
        change = _read(Change, body)
        action = Action(change.actor, "retry", change.reason)
        return await operations.retry(
            change.chosen(),
            action,
            from_log=change.from_log,
            resend_unknown=change.resend_unknown,
            is_dry=change.dry_run,
        )

    async def discard(_: dict[str, str], body: bytes) -> Any:
        change = _read(Change, body)
        action = Action(change.actor, "discard", _needed(change.reason))
        return await operations.discard(
            change.chosen(), action, first_only=change.first_only, is_dry=change.dry_run
        )

    async def park(_: dict[str, str], body: bytes) -> Any:
        order = _read(ParkOrder, body)
        action = Action(order.actor, "park", _needed(order.reason))
        await operations.park(order.projection, order.partition, order.offset, action)
        return {"parked": True}

    async def pause(_: dict[str, str], body: bytes) -> Any:
        wish = _read(Wish, body)
        await operations.pause(wish.projection, Action(wish.actor, "pause", _needed(wish.reason)))
        return {"projection": wish.projection, "is_paused": True}

    async def resume(_: dict[str, str], body: bytes) -> Any:
        wish = _read(Wish, body)
        await operations.resume(wish.projection, Action(wish.actor, "resume", wish.reason))
        return {"projection": wish.projection, "is_paused": False}

    return {
        ("GET", "/dead-letters"): _endpoint(listed),
        ("GET", "/dead-letters/records"): _endpoint(records),
        ("POST", "/dead-letters/retry"): _endpoint(retry),
        ("POST", "/dead-letters/discard"): _endpoint(discard),
        ("POST", "/dead-letters/park"): _endpoint(park),
        ("POST", "/projections/pause"): _endpoint(pause),
        ("POST", "/projections/resume"): _endpoint(resume),
    }


def _needed(reason: str) -> str:
    if not reason.strip():
        raise ValueError("a reason is needed")
    return reason


def _endpoint(work: Callable[[dict[str, str], bytes], Awaitable[Any]]) -> Handler:
    async def endpoint(scope: Scope, receive: Receive, send: Send) -> None:
        try:
            refused = refused_content(scope["headers"]) if scope["method"] == "POST" else None
            if refused is not None:
                await _refuse(scope, send, refused.problem, refused.headers)
                return
            answer = _encode(await work(_query(scope["query_string"]), await _body(receive)))
        except (UnknownProjection, ValueError, msgspec.MsgspecError) as error:
            await _refuse(scope, send, Problem(400, "invalid-request", "The request is wrong.", str(error)))
        except ProjectorError as error:
            await _refuse(scope, send, Problem(503, "unavailable", "Not possible now.", str(error)))
        else:
            await respond(scope, send, 200, "application/json", answer)

    return endpoint


async def _body(receive: Receive) -> bytes:
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientLeft
        body += message.get("body", b"")
        if len(body) > _BODY_BYTES_MAX:
            raise ValueError(f"the body has more than {_BODY_BYTES_MAX} bytes")
        if not message.get("more_body"):
            return bytes(body).removeprefix(json_text.BOM)


def _read(model: type[S], body: bytes) -> S:
    """Raises `ValueError`, for a key that stands twice, too."""
    if repeated := json_text.repeated_keys(body):
        raise ValueError(f"a key stands twice: {', '.join(repeated)}")
    try:
        return msgspec.json.decode(body, type=model)
    except RecursionError as error:
        raise ValueError(json_text.NESTED_TOO_DEEPLY) from error


def _query(query_string: bytes) -> dict[str, str]:
    """Raises `ValueError` where a parameter is not UTF-8, or stands twice."""
    try:
        pairs = parse_qsl(query_string.decode(), keep_blank_values=True, errors="strict")
    except UnicodeDecodeError as error:
        raise ValueError("the query string is not UTF-8") from error
    query = dict(pairs)
    if len(query) < len(pairs):
        raise ValueError("a parameter stands twice")
    return query


async def _refuse(scope: Scope, send: Send, problem: Problem, headers: Headers = ()) -> None:
    body = problem_body(problem, trace_id=None, request_id=None, instance=scope["path"])
    await respond(scope, send, problem.status, CONTENT_TYPE, body, headers)
