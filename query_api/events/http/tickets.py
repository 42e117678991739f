"""Tickets for browsers: `EventSource` cannot send Authorization, and a token in an address ends in logs.

A ticket is worth one thing for a minute: to begin a stream as the caller that asked for it. It is signed with
a key that all pods share, so any of them accepts it, and none keeps it.
"""

import hashlib
import hmac
import time
from collections.abc import Callable
from typing import NamedTuple

import msgspec

from query_api.signed_text import ForeignText, MalformedText, SignedText
from shared.access.caller import Caller
from shared.access.errors import InvalidToken
from shared.access.scopes import Scope
from shared.ops.http.request_context import ANONYMOUS

TICKET_SECONDS = 60.0
TICKET_CHARACTERS_MAX = 2048
_MAC_BYTES = hashlib.sha256().digest_size
# The key is that of cursors: what is signed for one purpose must not be good for the other.
_PURPOSE = b"event-stream-ticket"


class _Content(NamedTuple):
    subject: str
    client_id: str | None
    expires_at: float


class Ticket(NamedTuple):
    """`expires_at` is in Unix seconds."""

    text: str
    expires_at: float


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(_Content).decode


class Tickets:
    """`clock` gives Unix seconds."""

    def __init__(self, signing_key: bytes, clock: Callable[[], float] = time.time) -> None:
        self._signed = SignedText(hmac.digest(signing_key, _PURPOSE, "sha256"), mac_bytes=_MAC_BYTES)
        self._clock = clock

    def issue(self, caller: Caller | None) -> Ticket:
        """For this caller; None: access control is off. It ends no later than the caller's token."""
        expires_at = self._clock() + TICKET_SECONDS
        if caller is None:
            content = _Content(ANONYMOUS, None, expires_at)
        else:
            content = _Content(caller.subject, caller.client_id, min(expires_at, caller.expires_at))
        return Ticket(self._signed.text(_encode(content)), content.expires_at)

    def caller(self, text: str) -> Caller:
        """The caller that the ticket was made for, who may read events. Raises `InvalidToken`."""
        try:
            content = _decode(self._signed.payload(text))
        except MalformedText as error:
            raise InvalidToken("the ticket is malformed") from error
        except ForeignText as error:
            raise InvalidToken("the ticket was not made here, or was changed") from error
        if content.expires_at <= self._clock():
            raise InvalidToken("the ticket has expired")
        return Caller(content.subject, frozenset({Scope.EVENTS_READ}), content.client_id, content.expires_at)
