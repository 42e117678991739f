"""Tells of a connection that failed after its caller had given up: an outage, and no error of the program.

uvloop goes on with a connection whose caller was cancelled by a time-out, and leaves the failure to the event
loop as an exception that nobody retrieved. asyncio does not (https://github.com/MagicStack/uvloop/issues/437).
While a certificate is not accepted, every short time-out would count as a defect. So would a TLS connection
that was closed at once, and still had to answer what the server had sent.
"""

import asyncio
from collections.abc import Mapping
from typing import Any

from shared.ops.closed_transport import is_closed_transport
from shared.ops.error_text import named
from shared.ops.logs import get_logger

_log = get_logger(__name__)


def tell_of_abandoned_connections(loop: asyncio.AbstractEventLoop) -> None:
    """What else nobody has retrieved is told as before: an error of a task is a defect."""
    loop.set_exception_handler(_tell)


def _tell(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    error = context.get("exception")
    if isinstance(error, Exception) and (_was_connecting(error, context) or _was_closed(error, context)):
        _log.warning("an abandoned connection failed", reason=named(error))
    else:
        loop.default_exception_handler(context)


def _was_connecting(error: Exception, context: Mapping[str, Any]) -> bool:
    """`ssl.SSLError` and `socket.gaierror` are OSErrors. A task is a future, too."""
    future = context.get("future")
    return isinstance(error, OSError) and future is not None and not isinstance(future, asyncio.Task)


def _was_closed(error: Exception, context: Mapping[str, Any]) -> bool:
    return is_closed_transport(error) and "transport" in context
