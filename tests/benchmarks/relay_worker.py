"""A relay process with the publisher to be measured: `python -m tests.benchmarks.relay_worker NAME`.

All contenders are the same relay (log, chunks, cursor, headers, topics); only how a chunk gets into Kafka
differs. `batches` is what runs in production.
"""

import asyncio
import sys
from collections.abc import Sequence

from aiokafka import AIOKafkaProducer

from command_api.relay import app as relay_app
from command_api.relay.kafka import publisher as kafka_publisher
from command_api.relay.kafka.producer import BATCH_BYTES_MAX
from command_api.relay.kafka.publisher import KafkaPublisher
from command_api.relay.ports import Chunk, Published
from command_api.relay.settings import RelaySettings
from shared.contract.recorded_event import RecordedEvent
from shared.kafka.cloud_event import record_headers
from shared.kafka.servers import KafkaServers
from shared.ops.process import run


class PlainSends(KafkaPublisher):
    """As in aiokafka's documentation: `send` for each record, then wait for the whole chunk."""

    def prepare(self, events: Sequence[RecordedEvent]) -> Chunk:
        return Chunk(events, None)

    async def publish(self, chunk: Chunk) -> Published:
        assert self._producer is not None
        deliveries = []
        for event in chunk.events:
            key, headers = str(event.product_id).encode(), record_headers(event, self._log_id)
            for topic in self._settings.topics_of(event.event_type):
                deliveries.append(await self._producer.send(topic, event.data, key, headers=headers))
        await asyncio.gather(*deliveries)
        return Published(len(chunk.events))


class Transactions(KafkaPublisher):
    """A transaction per chunk, so that Kafka fences a replaced relay by its transactional id."""

    async def publish(self, chunk: Chunk) -> Published:
        assert self._producer is not None
        async with self._producer.transaction():
            return await super().publish(chunk)


def _transactional_producer(servers: KafkaServers, client_id: str) -> AIOKafkaProducer:
    return AIOKafkaProducer(
        **servers.arguments(),
        client_id=client_id,
        transactional_id="bench-relay",
        max_batch_size=BATCH_BYTES_MAX,
    )


CONTENDERS = {"batches": KafkaPublisher, "plain": PlainSends, "transactions": Transactions}


def main() -> int:
    """Relay until SIGTERM."""
    name = sys.argv[1]
    relay_app.KafkaPublisher = CONTENDERS[name]  # type: ignore[misc]
    if name == "transactions":
        kafka_publisher.create_producer = _transactional_producer
    settings = RelaySettings(_env_file=None)
    return run("relay", lambda stop: relay_app.run_relay(stop, settings))


if __name__ == "__main__":
    sys.exit(main())
