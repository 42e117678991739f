"""Folds long streams once more, and keeps a document of each at every 500 versions.

The projection `product_view` keeps them from now on as events come. What this adds are those of streams that
were long before: before this release, or before the fold changed. It can be stopped and run again.
"""

from collections.abc import AsyncIterator
from itertools import pairwise
from typing import NamedTuple
from uuid import UUID

from projector.applying.ports import Fold
from projector.applying.postgres import recorded_event
from projector.applying.stream_fold import CannotApply, apply_one
from projector.postgres.failures import translated, translated_read
from projector.rebuild.postgres.log_scan import PostgresLogScan
from projector.rebuild.rebuild import Reporter
from projector.stores import Stores
from projector.views.product_document import FOLD as DOCUMENTS
from shared.contract.recorded_event import RecordedEvent
from shared.contract.snapshots import FOLD, SNAPSHOT_VERSIONS, is_due
from shared.contract.views import ProductDocument, encode_document
from shared.postgres.sql import load_sql

_PACKAGE = "projector.snapshots"
_PRODUCTS_PER_PAGE = 1000
_PAGE_EVENTS_MAX = 500
_PAGE_BYTES_MAX = 4 * 1024 * 1024
# `product_view` makes one at the end of the batch in which it is due: so far apart they may be.
_GAP_VERSIONS_MAX = 3 * SNAPSHOT_VERSIONS
_fold: Fold[ProductDocument] = DOCUMENTS


class Made(NamedTuple):
    """Products with a long stream, snapshots that were made now, and products whose events do not fold."""

    products: int
    snapshots: int
    unreadable: list[str]


class _Kept(NamedTuple):
    stream_version: int
    log_position: int
    document: bytes


async def make_snapshots(stores: Stores, reporter: Reporter) -> Made:
    """All that are missing; then those of other folds are deleted. Raises `Unavailable`."""
    products = snapshots = 0
    unreadable: list[str] = []
    async for page in PostgresLogScan(stores.log_pool).stream_versions(_PRODUCTS_PER_PAGE):
        for product_id, stream_version in page.items():
            if stream_version >= SNAPSHOT_VERSIONS:
                products += 1
                try:
                    snapshots += await _of_product(stores, product_id, stream_version)
                except CannotApply as error:
                    unreadable.append(f"{product_id}: {error}")
        reporter.events(len(page))
    with translated("read model"):
        await stores.read_model.execute(load_sql(_PACKAGE, "delete_other_folds"), FOLD)
    return Made(products, snapshots, unreadable)


async def _of_product(stores: Stores, product_id: UUID, stream_version: int) -> int:
    with translated("read model"):
        sql = load_sql(_PACKAGE, "select_snapshot_versions")
        held = [row["stream_version"] for row in await stores.read_model.fetch(sql, product_id, FOLD)]
    places = [0, *held, stream_version]
    if max(after - before for before, after in pairwise(places)) <= _GAP_VERSIONS_MAX:
        return 0
    made = 0
    document: ProductDocument | None = None
    async for page in _pages(stores, product_id, stream_version):
        kept: list[_Kept] = []
        for event in page:
            document = _after(document, event)
            if document is not None and is_due(event.stream_version - 1, event.stream_version):
                kept.append(_Kept(event.stream_version, event.log_position, encode_document(document)))
        if kept:
            with translated("read model"):
                columns = zip(*kept, strict=True)
                sql = load_sql(_PACKAGE, "upsert_snapshots")
                await stores.read_model.execute(sql, product_id, FOLD, *columns)
        made += len(kept)
    return made


async def _pages(stores: Stores, product_id: UUID, stream_version: int) -> AsyncIterator[list[RecordedEvent]]:
    version = 0
    while version < stream_version:
        with translated_read("event store"):
            rows = await stores.log_pool.fetch(
                load_sql(_PACKAGE, "select_stream_page"),
                product_id,
                version,
                stream_version,
                _PAGE_EVENTS_MAX,
                _PAGE_BYTES_MAX,
            )
        if not rows or rows[0]["stream_version"] != version + 1:
            return  # the product is gone with a removed partition
        yield [recorded_event(row) for row in rows]
        version = rows[-1]["stream_version"]


def _after(document: ProductDocument | None, event: RecordedEvent) -> ProductDocument | None:
    """As the views fold: a type that this code does not know is a version without other changes."""
    if event.event_type in _fold.event_types:
        return apply_one(_fold, document, event)
    return None if document is None else _fold.skip(document, event)
