"""What a rebuild of each projection is made of; the counterpart of `assembly.py` for the shadow."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, NamedTuple

from projector.assembly import DOCUMENTS, PRODUCT_CACHE, PRODUCT_VIEW, Stores, source
from projector.kafka.live_view import wait_until_applied
from projector.ports import Fold
from projector.postgres.log_scan import PostgresLogScan
from projector.postgres.product_view import ProductViewTables
from projector.postgres.rebuild_record import RebuildRecords
from projector.postgres.shadow import PostgresShadow
from projector.postgres.shadow_parking import ParkedAnew
from projector.postgres.statements import SHADOW

REBUILDABLE = (PRODUCT_VIEW,)
_TABLES: Mapping[str, tuple[Callable[..., Any], Fold[Any]]] = {PRODUCT_VIEW: (ProductViewTables, DOCUMENTS)}


class ShadowParts(NamedTuple):
    """A shadow, its record, and the fold that fills it."""

    shadow: Any
    records: RebuildRecords
    fold: Fold[Any]
    next_generation: Callable[[], Awaitable[int]]


def log_scan(stores: Stores) -> PostgresLogScan:
    """The log, from end to end."""
    return PostgresLogScan(stores.log_pool)


def shadow_parts(name: str, stores: Stores) -> ShadowParts:
    """Of the projection of that name."""
    settings = stores.settings
    records = RebuildRecords(stores.read_model, name)
    tables, fold = _TABLES[name]
    parked = ParkedAnew(
        tables(),
        stores.log,
        projection=name,
        topic=stores.topic,
        partition_count=settings.partition_count,
        limits=stores.limits,
    )
    shadow = PostgresShadow(
        stores.read_model,
        records,
        tables(SHADOW),
        parked,
        projection=name,
        topic=stores.topic,
        partition_count=settings.partition_count,
    )
    return ShadowParts(shadow, records, fold, _no_generation)


async def live_has(name: str, stores: Stores, position: int, seconds_max: float) -> None:
    """Wait until the running projection has applied the log up to a position."""
    kept = source(name, stores)
    checkpoints = None if name == PRODUCT_CACHE else RebuildRecords(stores.read_model, name).next_offsets
    await wait_until_applied(
        stores.settings.kafka_bootstrap_servers,
        kept.topic,
        kept.group,
        position,
        published_position=log_scan(stores).published_position,
        next_offsets=None if checkpoints is None else lambda: checkpoints(kept.topic),
        seconds_max=seconds_max,
    )


async def _no_generation() -> int:
    return 0
