"""Two topics as the catalogue writes them, and no catalogue: a test writes records that are rare or wrong."""

import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from projector.state_topic.kafka.topic import state_headers
from projector.state_topic.ports import State
from shared.contract.recorded_event import EventMetadata, RecordedEvent
from shared.kafka.cloud_event import record_headers

PARTITIONS = 3
_AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


@asynccontextmanager
async def _admin_of(bootstrap_servers: str) -> AsyncIterator[AIOKafkaAdminClient]:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap_servers)
    await admin.start()
    try:
        yield admin
    finally:
        await admin.close()


class WrittenTopics:
    """`log_id`: of the records from now on."""

    def __init__(self, bootstrap_servers: str, prefix: str) -> None:
        self.bootstrap_servers = bootstrap_servers
        self.prefix = prefix
        self.log_id = uuid4()
        self.events, self.states = f"{prefix}products-events", f"{prefix}products-state"
        self._position = 0

    async def make(self) -> None:
        """Empty topics."""
        async with _admin_of(self.bootstrap_servers) as admin:
            compacted = {"cleanup.policy": "compact"}
            await admin.create_topics(
                [
                    NewTopic(self.events, PARTITIONS, 1),
                    NewTopic(self.states, PARTITIONS, 1, topic_configs=compacted),
                ]
            )

    async def delete(self) -> None:
        """Both, until no broker lists them."""
        async with _admin_of(self.bootstrap_servers) as admin:
            await admin.delete_topics([self.events, self.states])

    async def event(
        self, product_id: UUID, stream_version: int, event_type: str, data: Any, **more: Any
    ) -> RecordedEvent:
        """One event. `schema_version`, `is_replay`."""
        self._position += 1
        event = RecordedEvent(
            self._position,
            product_id,
            stream_version,
            event_type,
            more.pop("schema_version", 1),
            json.dumps(data).encode(),
            EventMetadata(uuid4(), "test"),
            _AT,
        )
        await self.send([event], **more)
        return event

    async def send(self, events: Sequence[RecordedEvent], *, is_replay: bool = False) -> None:
        """Events, in this order."""
        log_id = str(self.log_id).encode()
        records = [
            (self.events, event.product_id, event.data, record_headers(event, log_id, is_replay=is_replay))
            for event in events
        ]
        await self._send(records)

    async def state(self, product_id: UUID, stream_version: int, name: str | None, *skus: str) -> None:
        """The state of a product whose SKUs cost 9.00; without a name a tombstone."""
        self._position += 1
        variants = [variant(sku, "9.00") for sku in skus]
        document = {"id": str(product_id), "version": stream_version, "name": name, "variants": variants}
        value = None if name is None else json.dumps(document).encode()
        state = State(product_id, stream_version, self._position, _AT, value, self.log_id)
        await self._send([(self.states, product_id, value, state_headers(state))])

    async def stranger(self) -> None:
        """A record that somebody else has written into the topic of events."""
        await self._send([(self.events, uuid4(), b"{}", [])])

    async def _send(self, records: Sequence[tuple[str, UUID, bytes | None, list[tuple[str, bytes]]]]) -> None:
        async with AIOKafkaProducer(bootstrap_servers=self.bootstrap_servers) as producer:
            for topic, product_id, value, headers in records:
                await producer.send_and_wait(topic, value, str(product_id).encode(), headers=headers)


def variant(sku: str, amount: str) -> dict[str, Any]:
    """As it is in events and states."""
    return {"sku": sku, "options": {}, "price": {"amount": amount, "currency": "EUR"}}
