"""The topics that a running system makes are those that deploy/kafka_topics.py names for Strimzi."""

import pytest
from aiokafka.admin import AIOKafkaAdminClient

from deploy.kafka_topics import kafka_topics
from projector.settings import ProjectorSettings
from tests.end_to_end.catalogue import Catalogue, unique, variant
from tests.end_to_end.system import System
from tests.eventually import eventually

pytestmark = pytest.mark.servers


async def test_a_running_system_makes_no_topic_that_the_table_does_not_name(
    system: System, catalogue: Catalogue
) -> None:
    await catalogue.create(name=unique("topics"), variants=[variant(unique("T"))])
    settings = ProjectorSettings(_env_file=None, kafka_topic_prefix=system.prefix)  # type: ignore[call-arg]
    named = {spec.name: spec.partition_count for spec in kafka_topics(settings)}
    admin = AIOKafkaAdminClient(bootstrap_servers=system.servers.kafka.bootstrap_servers)
    await admin.start()
    try:

        async def made() -> dict[str, int]:
            own = [name for name in await admin.list_topics() if name.startswith(system.prefix)]
            topics = {one["topic"]: len(one["partitions"]) for one in await admin.describe_topics(own)}
            assert f"{system.prefix}products-state" in topics
            return topics

        found = await eventually(made)
    finally:
        await admin.close()
    assert found.items() <= named.items()
    assert {f"{system.prefix}products-{kind}" for kind in ("events", "created")} <= found.keys()
