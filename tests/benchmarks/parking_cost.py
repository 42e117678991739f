"""The cost of parking for healthy products: `Projection` against itself without parking.

60,000 events, in batches of 1,000 as from Kafka, go into two read models in one PostgreSQL. Each batch goes
to both, and they take turns in being first, so that other load on the machine affects both equally. The
second one has a thousand other parked products. For a healthy batch parking sends nothing to the database, so
the rate is calculated from the processor time of the median batch.
"""

import itertools
import time
from collections import Counter
from collections.abc import Sequence
from statistics import median
from typing import Any
from uuid import UUID

from aiokafka import ConsumerRecord
from uuid_utils.compat import uuid4

from projector.applying.apply import Applier
from projector.applying.batch import NOTHING, Item, by_product, has_gap, reached
from projector.applying.dead_letters import DeadLetter
from projector.applying.postgres import PostgresEventLog
from projector.applying.stream_fold import Failing, StreamFold, Tally
from projector.applying.transaction import BatchTransaction
from projector.kafka.records import read_one
from projector.parking.postgres.parking import PostgresParkedProducts
from projector.views.postgres.view import PostgresView
from projector.views.product_document import FOLD as DOCUMENTS
from projector.views.product_view.postgres import ProductViewTables
from shared.contract.addresses import DEFAULT_PARTITION_COUNT, partition_of
from shared.kafka.cloud_event import record_headers
from shared.postgres.pool import create_pool
from tests.benchmarks.bench_servers import BenchServers
from tests.benchmarks.projecting import PRODUCTS, VERSIONS, bench_events
from tests.benchmarks.table import Contender, Table

BATCH_EVENTS = 1_000
PARKED_PRODUCTS = 1_000
TOPIC, PROJECTION = "bench", "product_view"
_PARK_SQL = """
INSERT INTO views.parked_product (projection, product_id, topic, partition, error_class, cause, events)
SELECT $1, gen_random_uuid(), $2, n % $3, 'undecodable', 'benchmark', 1 FROM generate_series(1, $4) AS n
"""


async def tables(servers: BenchServers, seconds: float) -> list[Table]:
    """`seconds` does not matter: the work is fixed."""
    pair = _Pair(servers)
    return [
        Table(
            "Cost of parking for healthy products",
            "events/s",
            [
                Contender("product_view without parking", pair.bare),
                Contender("product_view, a thousand other products parked", pair.whole, 0.98),
            ],
        )
    ]


class _WithoutParking(BatchTransaction[Any]):
    """The transaction of a projection that parks nothing."""

    async def run(self, batch: Sequence[Item], failing: Failing) -> tuple[Tally, list[DeadLetter]]:
        products, _ = by_product(batch)
        tally: Tally = Counter()
        changes = []
        async with self._view.begin(reached(batch)) as writer:
            held = await writer.held(products.keys())
            if any(has_gap(some, held.get(one, NOTHING).stream_version) for one, some in products.items()):
                raise RuntimeError("the benchmark's events have no gaps")
            for product_id, deliveries in products.items():
                stream = StreamFold(self._fold, held.get(product_id, NOTHING), tally)
                stream.run(deliveries, (), {})
                change = stream.change()
                if change is not None:
                    changes.append(change)
            await writer.save(changes)
        return tally, []


class _Pair:
    """Both are measured together, when the first result is needed."""

    def __init__(self, servers: BenchServers) -> None:
        self._servers = servers
        self._rates = [0.0, 0.0]

    async def bare(self) -> float:
        self._rates = await _rates(self._servers)
        return self._rates[0]

    async def whole(self) -> float:
        return self._rates[1]


async def _rates(servers: BenchServers) -> list[float]:
    log = await servers.event_store()
    log_pool = await _pool(log.log_reader)
    pools = [await _pool((await servers.read_model()).projector) for _ in range(2)]
    appliers = []
    for pool, parks in zip(pools, (False, True), strict=True):
        if parks:
            await pool.execute(_PARK_SQL, PROJECTION, TOPIC, DEFAULT_PARTITION_COUNT, PARKED_PRODUCTS)
        view = PostgresView(pool, ProductViewTables(), projection=PROJECTION, topic=TOPIC)
        parked = PostgresParkedProducts(pool, projection=PROJECTION, topic=TOPIC)
        log_reader = PostgresEventLog(log_pool)
        applier = Applier(view, DOCUMENTS, log_reader, parked)
        # Both by the transaction, which is where parking is.
        applier._transaction._ordinary = None
        if not parks:
            applier._transaction = _WithoutParking(view, DOCUMENTS, log_reader, applier.breaker, None)
        appliers.append(applier)
        await applier.place(range(DEFAULT_PARTITION_COUNT))
    elapsed: list[list[float]] = [[], []]
    for turn, batch in enumerate(_batches()):
        for which in (0, 1) if turn % 2 else (1, 0):
            started = time.process_time()
            await appliers[which].apply(batch)
            elapsed[which].append(time.process_time() - started)
    for pool in pools:
        complete = f"SELECT count(*) FROM views.product_view WHERE stream_version = {VERSIONS}"
        if await pool.fetchval(complete) != PRODUCTS:
            raise RuntimeError("not every product is complete")
        await pool.close()
    await log_pool.close()
    return [BATCH_EVENTS / median(some) for some in elapsed]


def _batches() -> list[list[Item]]:
    log_id = uuid4()
    offsets = [itertools.count() for _ in range(DEFAULT_PARTITION_COUNT)]
    items: list[Item] = []
    for event in bench_events():
        partition = partition_of(event.product_id, DEFAULT_PARTITION_COUNT)
        items.append(read_one(_record(event, partition, next(offsets[partition]), log_id), log_id))
    return [items[start : start + BATCH_EVENTS] for start in range(0, len(items), BATCH_EVENTS)]


def _record(event: Any, partition: int, offset: int, log_id: UUID) -> Any:
    headers = tuple(record_headers(event, str(log_id).encode()))
    key = str(event.product_id).encode()
    return ConsumerRecord(
        TOPIC, partition, offset, 0, 0, key, event.data, None, len(key), len(event.data), headers
    )


async def _pool(dsn: str) -> Any:
    return await create_pool(
        dsn, application_name="bench", size_max=2, statement_timeout_seconds=60, connect_timeout_seconds=5
    )
