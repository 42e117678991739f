"""The feed shows what the topic has: events by the real relay and broker, beside a page of the same log."""

import json
from contextlib import AsyncExitStack
from typing import Any
from uuid import UUID, uuid4

import pytest
from msgspec.structs import replace

from query_api.events.feed_event import encoded
from query_api.events.postgres.event_log import PostgresEventLog
from query_api.history.parts import open_log
from query_api.settings import QuerySettings
from shared.contract.addresses import topics
from shared.contract.recorded_event import EventMetadata, RecordedEvent
from shared.ops.secret import Secret
from tests.integration.relay_world import event_log, read_raw, relay_settings, relaying
from tests.servers import DatabaseDsns
from tests.unit.relay.sample_events import product, sample_event, sample_events

pytestmark = pytest.mark.servers
EVENTS = 30


async def test_each_record_of_the_topic_is_an_event_of_the_feed_with_the_same_attributes_and_data(
    event_store_dsns: DatabaseDsns, kafka_bootstrap_servers: str, kafka_prefix: str
) -> None:
    events = [*sample_events(EVENTS - 2, products=4), _full(EVENTS - 1, product(0), 8)]
    events.append(sample_event(EVENTS, product(1), 8, event_type="product-deleted"))
    async with event_log(event_store_dsns) as log:
        await log.append(events)
        async with relaying(relay_settings(event_store_dsns, kafka_bootstrap_servers, kafka_prefix)):
            await log.cursor_reaches(EVENTS)
    records = await read_raw(kafka_bootstrap_servers, topics(kafka_prefix).events)
    feed = await _feed(event_store_dsns)
    assert sorted(map(_from_record, records), key=lambda one: int(one["position"])) == feed
    assert len(feed) == EVENTS


def _full(position: int, product_id: UUID, version: int) -> RecordedEvent:
    """With everything that an event may have."""
    data = '{"sku":"Größe \\"S\\"","price":{"amount":"19.90","currency":"EUR"}}'.encode()
    metadata = EventMetadata(
        uuid4(), 'a "correlation" ü', "a cause", "a command", "ann", f"00-{'a' * 32}-{'b' * 16}-01", "spring"
    )
    event = sample_event(position, product_id, version, data=data)
    return replace(event, metadata=metadata, schema_version=2)


def _from_record(record: Any) -> dict[str, Any]:
    """By the rules of CloudEvents: a header `ce_x` is the attribute x, content-type is datacontenttype."""
    headers = {name: raw.decode() for name, raw in record.headers}
    attributes: dict[str, Any] = {
        name.removeprefix("ce_"): text for name, text in headers.items() if name.startswith("ce_")
    }
    for name in ("streamversion", "schemaversion"):
        attributes[name] = int(attributes[name])
    if "traceparent" in headers:
        attributes["traceparent"] = headers["traceparent"]
    return {**attributes, "datacontenttype": headers["content-type"], "data": json.loads(record.value)}


async def _feed(dsns: DatabaseDsns) -> list[dict[str, Any]]:
    async with AsyncExitStack() as stack:
        settings = QuerySettings(
            _env_file=None,  # type: ignore[call-arg]
            event_store_read_dsn=Secret(dsns.log_reader),
        )
        log = PostgresEventLog((await open_log(settings, stack)).reads)
        log_id = (await log.end()).log_id
        return [json.loads(encoded(event, log_id).json) for event in await log.next_events(0)]
