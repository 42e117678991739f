"""One request to the operations port: query or body in, a JSON or problem document out."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, NamedTuple, TypeVar
from urllib.parse import parse_qsl

import msgspec
from msgspec import Struct

from projector.errors import ProjectorError
from projector.parking.ports import UnknownDeadLetter
from shared.access.caller import Caller, caller_in
from shared.ops.http import json_text
from shared.ops.http.asgi import ClientLeft, Handler, Headers, Receive, Scope, Send, respond
from shared.ops.http.content import refused_content
from shared.ops.http.problem import Problem
from shared.ops.http.problem_answer import send_problem

_BODY_BYTES_MAX = 64 * 1024
S = TypeVar("S", bound=Struct)
_encode = msgspec.json.Encoder(enc_hook=str).encode


class Answer(NamedTuple):
    """The JSON document; counts are in headers, because the document is a list."""

    body: Any
    headers: Headers = ()


class Asked(NamedTuple):
    """A request. `caller` None: access control is off."""

    query: Mapping[str, str]
    body: bytes
    caller: Caller | None


Work = Callable[[Asked], Awaitable[Any]]
"""Returns a value to encode as JSON, or an `Answer`."""


def endpoint(work: Work) -> Handler:
    """An ASGI handler: errors become problem documents. `UnknownProjection` is a `ValueError`, too."""

    async def handle(scope: Scope, receive: Receive, send: Send) -> None:
        try:
            refused = refused_content(scope["headers"]) if scope["method"] == "POST" else None
            if refused is not None:
                await send_problem(scope, send, refused.problem, refused.headers)
                return
            asked = Asked(_query(scope["query_string"]), await _body(receive), caller_in(scope))
            found = await work(asked)
            answer = found if isinstance(found, Answer) else Answer(found)
        except (ValueError, msgspec.MsgspecError) as error:
            await send_problem(
                scope, send, Problem(400, "invalid-request", "The request is invalid.", str(error))
            )
        except UnknownDeadLetter as error:
            await send_problem(
                scope, send, Problem(404, "not-found", "There is no such dead letter.", str(error))
            )
        except ProjectorError as error:
            await send_problem(
                scope, send, Problem(503, "unavailable", "Temporarily unavailable.", str(error))
            )
        else:
            await respond(scope, send, 200, "application/json", _encode(answer.body), answer.headers)

    return handle


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


def read(model: type[S], body: bytes) -> S:
    """Raises `ValueError`, also for a key that occurs twice."""
    if repeated := json_text.repeated_keys(body):
        raise ValueError(f"a key occurs twice: {', '.join(repeated)}")
    try:
        return msgspec.json.decode(body, type=model)
    except RecursionError as error:
        raise ValueError(json_text.NESTED_TOO_DEEPLY) from error


def _query(query_string: bytes) -> dict[str, str]:
    """Raises `ValueError` if a parameter is not UTF-8 or occurs twice."""
    try:
        pairs = parse_qsl(query_string.decode(), keep_blank_values=True, errors="strict")
    except UnicodeDecodeError as error:
        raise ValueError("the query string is not UTF-8") from error
    query = dict(pairs)
    if len(query) < len(pairs):
        raise ValueError("a parameter occurs twice")
    return query
