"""The tables that are updated all the time: how many updates write to indexes, and how the tables grow, by
fillfactor, and by how many dead rows a VACUUM waits for. Updates touch what the code touches, on random rows.

A HOT update writes to no index, and the next reader of the page removes its old version. It needs room on the
page, and no changed column may be in an index.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import NamedTuple

import asyncpg

from tests.benchmarks.bench_servers import BenchServers
from tests.benchmarks.table import Contender, Table
from tests.servers import DatabaseDsns

ROWS, BATCHES, BATCH_ROWS = 20_000, 160, 250
_MEBIBYTE = 1024 * 1024
_STATS = "SELECT n_tup_upd, n_tup_hot_upd FROM pg_stat_user_tables WHERE relid = $1::regclass"
_FILLFACTORS = (100, 80, 50)


class HotTable(NamedTuple):
    """`fill` inserts $1 rows; `update` changes the rows with the numbers $1."""

    name: str
    fill: str
    update: str


class Figures(NamedTuple):
    """After all updates: HOT updates in percent, and MiB with the indexes before and after."""

    hot_percent: float
    mebibytes_before: float
    mebibytes: float


_ID = "md5({}::text)::uuid"
STREAMS = HotTable(
    "catalogue.streams",
    f"INSERT INTO catalogue.streams SELECT {_ID.format('n')}, 1, n, n FROM generate_series(1, $1::int) n",
    "UPDATE catalogue.streams s SET stream_version = s.stream_version + 1, last_position = last_position + 9 "
    f"FROM unnest($1::int[]) n WHERE s.product_id = {_ID.format('n')}",
)
PRODUCTS = HotTable(
    "views.product_view",
    f"INSERT INTO views.product_view SELECT {_ID.format('n')}, 1, n, 'active', 'slug-' || n, 'Name ' || n, "
    "'brand ' || n % 100, 'type', 'category ' || n % 200, ARRAY['a', 'b'], now(), now(), "
    "convert_to(repeat(md5(n::text), 20), 'UTF8') FROM generate_series(1, $1::int) n",
    "UPDATE views.product_view p SET stream_version = p.stream_version + 1, updated_at = clock_timestamp(), "
    f"document = p.document FROM unnest($1::int[]) n WHERE p.product_id = {_ID.format('n')}",
)
VARIANTS = HotTable(
    "views.product_view_variant",
    f"INSERT INTO views.product_view_variant SELECT {_ID.format('n')}, 'SKU-' || n, 'EUR', n % 1000 "
    "FROM generate_series(1, $1::int) n",
    "UPDATE views.product_view_variant v SET amount = amount + 1 "
    f"FROM unnest($1::int[]) n WHERE v.product_id = {_ID.format('n')} AND v.sku = 'SKU-' || n",
)
STOCK = HotTable(
    "views.stock_item",
    f"INSERT INTO views.stock_item SELECT 'SKU-' || n, {_ID.format('n')}, 'open', now(), NULL, n "
    "FROM generate_series(1, $1::int) n",
    "UPDATE views.stock_item s SET log_position = s.log_position + 9 "
    "FROM unnest($1::int[]) n WHERE s.sku = 'SKU-' || n",
)
COUNTS = HotTable(
    "views.category_view_category",
    "INSERT INTO views.category_view_category SELECT 'category ' || n, 1, 1, 1, 1, 1, 1, 1 "
    "FROM generate_series(1, $1::int / 100) n",
    "UPDATE views.category_view_category c SET active = active + 1, subtree_active = subtree_active + 1 "
    "FROM (SELECT DISTINCT 'category ' || (1 + n % 500) AS path FROM unnest($1::int[]) n) wanted "
    "WHERE c.path = wanted.path",
)
_TABLES = (STREAMS, PRODUCTS, VARIANTS, STOCK, COUNTS)


async def tables(servers: BenchServers, seconds: float) -> list[Table]:
    """Two for each hot table, and one for when to VACUUM; the amount of work is fixed."""
    made, found = [], dict[tuple[str, int], Figures]()
    for hot in _TABLES:
        measuring = [
            Contender(f"fillfactor {factor}", partial(_index_writes, servers, hot, factor, found))
            for factor in _FILLFACTORS
        ]
        growing = [
            Contender(f"fillfactor {factor}", partial(_growth, hot, factor, found)) for factor in _FILLFACTORS
        ]
        made.append(Table(f"{hot.name}: updates that write to indexes", "%", measuring, True))
        made.append(Table(f"{hot.name}: growth in the same run", "times", growing, True))
    for hot in (PRODUCTS, VARIANTS):
        vacuums = [
            Contender(f"VACUUM at {percent} % dead rows", partial(_size, servers, hot, percent))
            for percent in (20, 5, 2)
        ]
        updates = BATCHES * BATCH_ROWS
        made.append(Table(f"{hot.name}: size after {updates:,} updates", "MiB", vacuums, True))
    return made


async def _index_writes(
    servers: BenchServers, hot: HotTable, fillfactor: int, found: dict[tuple[str, int], Figures]
) -> float:
    async with _owner(servers, hot) as owner:
        found[hot.name, fillfactor] = await _used(owner, hot, fillfactor, None)
    return 100 - found[hot.name, fillfactor].hot_percent


async def _growth(hot: HotTable, fillfactor: int, found: dict[tuple[str, int], Figures]) -> float:
    return found[hot.name, fillfactor].mebibytes / found[hot.name, fillfactor].mebibytes_before


async def _size(servers: BenchServers, hot: HotTable, vacuum_percent: int) -> float:
    async with _owner(servers, hot) as owner:
        return (await _used(owner, hot, None, vacuum_percent)).mebibytes


@asynccontextmanager
async def _owner(servers: BenchServers, hot: HotTable) -> AsyncIterator["asyncpg.Connection[asyncpg.Record]"]:
    make: Callable[[], Awaitable[DatabaseDsns]] = (
        servers.event_store if hot.name.startswith("catalogue.") else servers.read_model
    )
    owner = await asyncpg.connect((await make()).owner)
    try:
        yield owner
    finally:
        await owner.close()


async def _used(
    owner: "asyncpg.Connection[asyncpg.Record]",
    hot: HotTable,
    fillfactor: int | None,
    vacuum_percent: int | None,
) -> Figures:
    """The table after the updates; without autovacuum, which would come at a random time."""
    await owner.execute(f"ALTER TABLE {hot.name} SET (autovacuum_enabled = off)")
    if fillfactor is not None:
        await owner.execute(f"ALTER TABLE {hot.name} SET (fillfactor = {fillfactor})")
    await owner.execute(hot.fill, ROWS)
    await owner.execute(f"VACUUM ANALYZE {hot.name}")
    size = f"SELECT pg_total_relation_size('{hot.name}')"
    before = await owner.fetchval(size)
    dead = 0
    for batch in range(BATCHES):
        rows = [1 + (batch * 7919 + number * 104_729) % ROWS for number in range(BATCH_ROWS)]
        await owner.execute(hot.update, sorted(rows))
        dead += BATCH_ROWS
        if vacuum_percent is not None and dead * 100 >= ROWS * vacuum_percent:
            await owner.execute(f"VACUUM {hot.name}")
            dead = 0
    await owner.execute("SELECT pg_stat_force_next_flush()")
    updated, hot_updated = await owner.fetchrow(_STATS, hot.name)  # type: ignore[misc]
    return Figures(100 * hot_updated / updated, before / _MEBIBYTE, await owner.fetchval(size) / _MEBIBYTE)
