"""Compares cached documents: each must be equal, byte by byte, to the fold of its version."""

import json
from collections.abc import Collection, Mapping, Sequence
from typing import Any
from uuid import UUID

from projector.applying.ports import Change
from projector.rebuild.difference import VERIFIED, difference
from projector.rebuild.verify_ports import Standing
from projector.views.product_cache.redis.documents import CachedProducts
from shared.contract.cached_document import pack, unpack
from shared.contract.views import ProductDocument, encode_document


class CacheCheck:
    """Implements `ViewCheck`. A missing document is no difference: readers go to the view.

    `position_due`: the position that the live projection had applied before the first call.
    """

    def __init__(self, products: CachedProducts, position_due: int, parked: Collection[UUID]) -> None:
        self.log_position = position_due
        self._products = products
        self._parked = parked
        self._values: dict[UUID, bytes] = {}

    async def standing(self, product_ids: Collection[UUID]) -> Mapping[UUID, Standing]:
        """Remembers the documents, which `unexpected` compares."""
        wanted = list(product_ids)
        values = await self._products.values(wanted)
        self._values = {one: value for one, value in zip(wanted, values, strict=True) if value is not None}
        return {one: Standing(self._version(one), self.log_position, one in self._parked) for one in wanted}

    async def unexpected(
        self, product_ids: Collection[UUID], changes: Sequence[Change[ProductDocument]]
    ) -> list[str]:
        expected = {change.product_id: _packed(change) for change in changes}
        return [
            f"{one}: {difference(fields(self._values[one]), fields(expected.get(one)), VERIFIED)}"
            for one in product_ids
            if self._values[one] != expected.get(one)
        ]

    async def unexpected_shared(self) -> list[str]:
        """Products share no documents."""
        return []

    def _version(self, product_id: UUID) -> int | None:
        """0 for an unreadable document, which then differs from every other."""
        value = self._values.get(product_id)
        if value is None:
            return None
        try:
            return unpack(value).stream_version
        except ValueError:
            return 0


def _packed(change: Change[ProductDocument]) -> bytes:
    return pack(change.stream_version, encode_document(change.after) if change.after is not None else None)


def fields(value: bytes | None) -> dict[str, Any] | None:
    """For people: the fields of a packed document, or the bytes of an unreadable one."""
    if value is None:
        return None
    try:
        cached = unpack(value)
        document = None if cached.is_deleted else json.loads(cached.body)
    except ValueError:
        return {"bytes": value.decode(errors="replace")}
    return {"stream_version": cached.stream_version, "document": document}
