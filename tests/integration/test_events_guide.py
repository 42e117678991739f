"""The consumer of docs/events.md does what the guide says, run as it stands but for topic and address."""

import asyncio
import re
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from command_api.relay.kafka.publisher import KafkaPublisher, PublisherSettings
from shared.contract.recorded_event import RecordedEvent
from shared.kafka.servers import KafkaServers
from shared.kafka.topics import TopicSpec
from tests.contract.golden_history import history
from tests.unit.relay.in_memory import LOG_ID

pytestmark = pytest.mark.servers
GUIDE = Path(__file__).parents[2] / "docs" / "events.md"
_LINE_SECONDS_MAX = 60


def example(topic: str, bootstrap_servers: str) -> str:
    """The one block of Python in the guide."""
    (code,) = re.findall(r"```python\n(.*?)```", GUIDE.read_text(), re.DOTALL)
    assert isinstance(code, str)
    for ours, theirs in (("products-events", topic), ("127.0.0.1:19092", bootstrap_servers)):
        assert code.count(ours) == 1
        code = code.replace(ours, theirs)
    return code


@pytest.fixture
async def publisher(kafka_bootstrap_servers: str, kafka_prefix: str) -> AsyncIterator[KafkaPublisher]:
    topic = f"{kafka_prefix}products-events"
    settings = PublisherSettings(
        servers=KafkaServers(kafka_bootstrap_servers),
        topics=[TopicSpec(topic, 12)],
        topics_of=lambda _: (topic,),
        partition_count=12,
        start_seconds_max=30.0,
        send_seconds_max=30.0,
        stop_seconds_max=2.0,
    )
    opened = KafkaPublisher(settings, LOG_ID)
    await opened.start()
    yield opened
    await opened.stop()


async def _send(publisher: KafkaPublisher, events: list[RecordedEvent]) -> None:
    assert await publisher.publish(publisher.prepare(events)) == (len(events), None)


async def test_the_consumer_of_the_guide_tells_each_change_of_a_price_once(
    publisher: KafkaPublisher, kafka_bootstrap_servers: str, kafka_prefix: str
) -> None:
    """Among repeats, and a type that nobody knows yet; the last event of all shows that it got so far."""
    events = history("v1")[:-1]
    priced = next(event for event in events if event.event_type == "product-price-changed")
    unknown = replace(priced, stream_version=11, log_position=111, event_type="product-sold", data=b"7")
    cheaper = priced.data.replace(b'"49.00"', b'"48.00"')
    last = replace(priced, stream_version=12, log_position=112, data=cheaper)
    for batch in (events, events[2:6], [unknown], events, [last]):
        await _send(publisher, batch)
    code = example(f"{kafka_prefix}products-events", kafka_bootstrap_servers)
    consumer = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    try:
        assert consumer.stdout is not None
        told = [
            await asyncio.wait_for(asyncio.to_thread(consumer.stdout.readline), _LINE_SECONDS_MAX)
            for _ in range(2)
        ]
        assert told == [f"{priced.product_id} OBS-L {amount}\n" for amount in ("49.00", "48.00")]
        assert consumer.poll() is None
    finally:
        consumer.kill()
        rest, _ = consumer.communicate()
    assert rest == ""
