"""Products in one index: read as they are now, and overwritten by newer ones.

The version of a document is that of its stream, and OpenSearch refuses one that is not newer: so a process
that was replaced, or a record that comes again, changes nothing. A deleted product stays as a tombstone,
because OpenSearch forgets true deletes, and an old version could come back.
"""

from collections.abc import Collection, Iterable, Mapping
from typing import Any
from uuid import UUID

import msgspec

from projector.applying.ports import Change, Held
from projector.views.search_index.opensearch.answers import Stored
from projector.views.search_index.opensearch.indexes import SearchIndexes, Write
from shared.contract.addresses import partition_of
from shared.contract.views import ProductDocument, decode_document, encode_document
from shared.search.entry import entry_of
from shared.search.opensearch.documents import product_key, product_source, tombstone_source


class _Source(msgspec.Struct):
    document: msgspec.Raw = msgspec.Raw(b"")


_source = msgspec.json.Decoder(_Source)


class IndexedProducts:
    """`where`: an index, or the alias. Methods raise `Unavailable`; writes also `Refused`."""

    def __init__(self, indexes: SearchIndexes, where: str, partition_count: int) -> None:
        self._indexes = indexes
        self._where = where
        self._partition_count = partition_count

    async def held(self, product_ids: Collection[UUID]) -> Mapping[UUID, Held[ProductDocument]]:
        """Unknown products are absent."""
        found = await self.stored(product_ids)
        return {product_id: _held(one) for product_id, one in found.items()}

    async def stored(self, product_ids: Collection[UUID]) -> Mapping[UUID, Stored]:
        """The same, as the index has them."""
        if not product_ids:
            return {}
        found = await self._indexes.get(self._where, [product_key(one) for one in product_ids])
        return {UUID(hex=key): one for key, one in found.items()}

    async def save(self, name: str, changes: Iterable[Change[ProductDocument]]) -> None:
        """Into this index; a document that is as new or newer stays."""
        await self._indexes.write(name, map(self._write, changes))

    def source(self, change: Change[ProductDocument]) -> Mapping[str, Any]:
        """What the index has of a product after this change."""
        place = change.log_position, partition_of(change.product_id, self._partition_count)
        if change.after is None:
            return tombstone_source(change.product_id, change.stream_version, *place)
        return product_source(entry_of(change.after), encode_document(change.after), *place)

    def _write(self, change: Change[ProductDocument]) -> Write:
        terms = {"version": change.stream_version, "version_type": "external"}
        return Write("index", product_key(change.product_id), terms, self.source(change))


def _held(stored: Stored) -> Held[ProductDocument]:
    document = bytes(_source.decode(stored.source).document)
    return Held(stored.version, decode_document(document) if document else None)


def fields(source: bytes | None) -> dict[str, Any] | None:
    """For people: a stored document."""
    found: dict[str, Any] | None = None if source is None else msgspec.json.decode(source)
    return found


def as_stored(source: Mapping[str, Any]) -> dict[str, Any]:
    """A document that is not stored yet, as it is read back."""
    found: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(source))
    return found
