"""Consistency tokens: a command's answer names its write in a string, and a read with it sees that write.

A token has the last log position per Kafka partition, because checkpoints are kept per partition. For one
product it also has the id and the stream version: a document with that version is proof enough. Clients need
not understand it: base64url of compact JSON, at most 1 KiB.
"""

import base64
import binascii
from collections.abc import Mapping
from uuid import UUID

import msgspec
from msgspec import Struct

TOKEN_BYTES_MAX = 1024
# The limits of bigint and int in the log's columns: an invented number must not reach a query that overflows.
_POSITION_MAX = 2**63 - 1
_STREAM_VERSION_MAX = 2**31 - 1


class MalformedToken(ValueError):
    """The text is not a token of this service."""


class ConsistencyToken(Struct, frozen=True):
    """`positions`: Kafka partition -> log position that must have been projected."""

    positions: dict[int, int] = msgspec.field(name="p")
    product_id: UUID | None = msgspec.field(name="i", default=None)
    stream_version: int | None = msgspec.field(name="v", default=None)


_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(ConsistencyToken)


def encode_token(token: ConsistencyToken) -> str:
    """The header value. With very many partitions only the furthest positions fit: see `_fitting`."""
    encoded = base64.urlsafe_b64encode(_encoder.encode(token)).rstrip(b"=").decode()
    if len(encoded) <= TOKEN_BYTES_MAX:
        return encoded
    return encode_token(ConsistencyToken(_fitting(token.positions), token.product_id, token.stream_version))


def _fitting(positions: Mapping[int, int]) -> dict[int, int]:
    """The half of the partitions with the highest positions: a reader waits longest for the latest writes."""
    furthest = sorted(positions.items(), key=lambda entry: entry[1], reverse=True)
    return dict(furthest[: len(furthest) // 2])


def decode_token(value: str) -> ConsistencyToken:
    """The token in a header value. Raises `MalformedToken`."""
    if len(value) > TOKEN_BYTES_MAX:
        raise MalformedToken("longer than a token can be")
    try:
        raw = base64.b64decode(value + "=" * (-len(value) % 4), altchars=b"-_", validate=True)
        token = _decoder.decode(raw)
    except (binascii.Error, ValueError, msgspec.MsgspecError) as error:
        raise MalformedToken("not a consistency token") from error
    if any(
        partition < 0 or not 0 <= position <= _POSITION_MAX for partition, position in token.positions.items()
    ):
        raise MalformedToken("a position that no log has")
    if token.stream_version is not None and not 0 <= token.stream_version <= _STREAM_VERSION_MAX:
        raise MalformedToken("a version that no product has")
    return token
