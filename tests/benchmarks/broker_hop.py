"""The yardstick of freshness: one record through the broker and back, with nothing else in between.

No system can be fresher than its broker. aiokafka with acks=all and no linger, one record at a time. Records
that follow each other at once are fastest; with pauses, the processor and the threads of the broker have to
wake up for each.
"""

import asyncio
import time

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from tests.benchmarks.bench_servers import BenchServers
from tests.load.latencies import percentile

# Before, the broker's Java code for these requests is compiled.
WARM_UP_RECORDS, RECORDS = 1000, 1000
_VALUE = b"x" * 500


async def hop_milliseconds(
    servers: BenchServers, *, records: int = RECORDS, pause_seconds: float = 0.0
) -> float:
    """The p50 from the start of a send to the record in the hands of a consumer, with pauses in between."""
    topic = f"bench-hop-{time.time_ns():x}"
    bootstrap = servers.kafka.bootstrap_servers
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        await admin.create_topics([NewTopic(topic, num_partitions=1, replication_factor=1)])
        hops = await _hops(topic, bootstrap, records, pause_seconds)
        await admin.delete_topics([topic])
    finally:
        await admin.close()
    p50 = percentile(sorted(hops[WARM_UP_RECORDS:]), 50)
    assert p50 is not None
    return p50 * 1000


async def _hops(topic: str, bootstrap: str, records: int, pause_seconds: float) -> list[float]:
    """In seconds, one a record; the first ones without pauses."""
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap, acks="all", linger_ms=0)
    consumer = AIOKafkaConsumer(
        topic,
        bootstrap_servers=bootstrap,
        auto_offset_reset="earliest",
        fetch_max_wait_ms=500,
        fetch_min_bytes=1,
    )
    hops: list[float] = []
    async with producer, consumer:
        for number in range(WARM_UP_RECORDS + records):
            started = time.perf_counter()
            sent = await producer.send(topic, _VALUE)
            await consumer.getone()
            hops.append(time.perf_counter() - started)
            await sent
            await asyncio.sleep(pause_seconds if number >= WARM_UP_RECORDS else 0)
    return hops
