"""Page cursors: the end of a page, opaque to clients, signed, and bound to one list.

A cursor is signed because its content becomes part of a query. It is bound to filters and order because with
others it would silently skip or repeat products.
"""

import hashlib
from typing import Any, Generic, TypeVar

import msgspec
from msgspec import Struct

from query_api.errors import BadParameter
from query_api.signed_text import ForeignText, MalformedText, SignedText

P = TypeVar("P", bound=tuple[Any, ...])
"""The place where a page of a list ends; a named tuple."""
_MAC_BYTES = 16
CURSOR_CHARACTERS_MAX = 8192
_encode = msgspec.msgpack.Encoder().encode
_encode_filters = msgspec.json.Encoder(order="sorted").encode


def fingerprint(filters: Struct) -> bytes:
    """32 bytes that are equal for equal filters and order, in every process."""
    return hashlib.sha256(_encode_filters(filters)).digest()


class Cursors(Generic[P]):
    """Makes and reads cursors with one key, which all pods share.

    Filters of different lists must be different values, so all filters except those of products carry a tag.
    """

    def __init__(self, signing_key: bytes, position: type[P]) -> None:
        self._signed = SignedText(signing_key, mac_bytes=_MAC_BYTES)
        self._decoder = msgspec.msgpack.Decoder(position)

    def encode(self, position: P, filters: Struct) -> str:
        """The `cursor` of the page after `position`."""
        return self._signed.text(_encode(tuple(position)), fingerprint(filters))

    def decode(self, cursor: str, filters: Struct) -> P:
        """The position in a cursor. Raises `BadParameter` if the cursor is not ours or belongs to another
        list.
        """
        try:
            payload = self._signed.payload(cursor, fingerprint(filters))
        except MalformedText as error:
            raise BadParameter("cursor", "is not a cursor that this service gave out") from error
        except ForeignText as error:
            raise BadParameter(
                "cursor", "belongs to a list with other filters or another order, or was changed", "foreign"
            ) from error
        try:
            position: P = self._decoder.decode(payload)
        except msgspec.MsgspecError as error:
            raise BadParameter("cursor", "is of another release of this service", "foreign") from error
        return position

    def fits(self, cursor: str, filters: Struct) -> bool:
        """Whether this list has given the cursor, in this release or one that writes the same."""
        try:
            self.decode(cursor, filters)
        except BadParameter:
            return False
        return True
