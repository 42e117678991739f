"""Read your writes across two services: what a command's answer wrote, in a string that a read sends back.

Per Kafka partition the last log position (the reader's checkpoints are kept per partition), and for an
answer about one product its id and stream version (a document of that version is proof enough).
Opaque to clients: base64url of compact JSON, at most 1 KiB.
"""

import base64
import binascii
from collections.abc import Mapping
from uuid import UUID

import msgspec
from msgspec import Struct

TOKEN_BYTES_MAX = 1024
# bigint and int of the log's columns: a made-up number must not reach a query that cannot hold it.
_POSITION_MAX = 2**63 - 1
_STREAM_VERSION_MAX = 2**31 - 1


class MalformedToken(ValueError):
    """Not a token that this service gave out."""


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
    """Half of the partitions, the furthest ones: what was written last is what a reader waits for longest."""
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
