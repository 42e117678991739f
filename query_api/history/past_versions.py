"""The use cases of single versions: a product as it was, and what differs between two of its versions."""

import asyncio
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import jsonpatch
import msgspec

from query_api.consistency.visibility import Consistency
from query_api.errors import BadParameter, ProductNotFound
from query_api.history.changes import Change, changes
from query_api.history.reader import Reader
from query_api.history.streams import Stream, Streams
from shared.contract.views import ProductDocument, encode_document

Moment = int | datetime
"""A version, or a time."""


class PastProduct(NamedTuple):
    """A product as it was: its version, and the bytes of its document."""

    stream_version: int
    body: bytes


class Difference(NamedTuple):
    """From one version to another: the changed fields, and a JSON Patch (RFC 6902) of the whole document."""

    from_document: ProductDocument
    to_document: ProductDocument
    changes: list[Change]
    patch: list[dict[str, Any]]


class PastVersions:
    """Every method raises `ProductNotFound`, or `Unavailable` if the log cannot answer."""

    def __init__(self, streams: Streams) -> None:
        self._streams = streams

    async def at(
        self, product_id: UUID, moment: Moment, reader: Reader, consistency: Consistency | None
    ) -> PastProduct:
        """The product at this moment."""
        stream = await self._streams.find(product_id, reader, consistency)
        document = await self._document(stream, await self._version(stream, moment))
        return PastProduct(document.version, encode_document(document))

    async def difference(
        self,
        product_id: UUID,
        moments: tuple[Moment, Moment | None],
        reader: Reader,
        consistency: Consistency | None,
    ) -> Difference:
        """Between two moments, the second one being now if it is None. Raises `BadParameter` if it is the
        earlier one.
        """
        stream = await self._streams.find(product_id, reader, consistency)
        first = await self._version(stream, moments[0])
        last = stream.newest_version if moments[1] is None else await self._version(stream, moments[1])
        if first > last:
            raise BadParameter("from", "is after `to`, where the difference ends")
        before, after = await self._document(stream, first), await self._document(stream, last)
        # In a thread: between long lists in attributes it takes half a second.
        patch = await asyncio.to_thread(_patch, before, after)
        return Difference(before, after, changes(before, after), patch)

    async def _version(self, stream: Stream, moment: Moment) -> int:
        if isinstance(moment, int):
            return moment
        return await self._streams.version_at(stream, moment)

    async def _document(self, stream: Stream, stream_version: int) -> ProductDocument:
        """The same refusal for a version that never was, and for one that this reader may not see."""
        if 1 <= stream_version <= stream.newest_version:
            step = await self._streams.at(stream, stream_version)
            document = stream.reader.seen(step.after)
            if document is not None:
                return document
        raise ProductNotFound("there was no such product in this version, or at this time")


def _patch(before: ProductDocument, after: ProductDocument) -> list[dict[str, Any]]:
    old, new = (msgspec.json.decode(encode_document(one)) for one in (before, after))
    patch: list[dict[str, Any]] = jsonpatch.make_patch(old, new).patch
    return patch
