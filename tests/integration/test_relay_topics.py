"""Topics on a real broker: made as asked, verified, never changed."""

import asyncio

import pytest
from aiokafka.admin import AIOKafkaAdminClient

from deploy.local.kafka import KafkaServer
from deploy.local.ports import free_port
from shared.kafka.servers import KafkaServers
from shared.kafka.topics import (
    LATEST_PER_KEY,
    KafkaUnavailable,
    TopicIsMissing,
    TopicsAreWrong,
    TopicSpec,
    ensure_topics,
)
from shared.ops.retry import RetryPolicy
from tests.integration.relay_world import describe

pytestmark = pytest.mark.servers
IMPATIENT = RetryPolicy("test_topics", 0.01, 0.05, budget_seconds=0.2)


async def topic_names(bootstrap_servers: str) -> set[str]:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap_servers)
    await admin.start()
    try:
        return set(await admin.list_topics())
    finally:
        await admin.close()


async def test_a_missing_topic_is_made_as_asked(kafka_bootstrap_servers: str, kafka_prefix: str) -> None:
    name = f"{kafka_prefix}made"
    await ensure_topics(KafkaServers(kafka_bootstrap_servers), [TopicSpec(name, 5)])
    partitions, configs = await describe(kafka_bootstrap_servers, name)
    assert partitions == 5
    assert configs["retention.ms"] == "-1"
    assert configs["max.message.bytes"] == str(1024 * 1024)
    assert configs["cleanup.policy"] == "delete"


async def test_a_compacted_topic_can_be_asked_for(kafka_bootstrap_servers: str, kafka_prefix: str) -> None:
    name = f"{kafka_prefix}state"
    await ensure_topics(
        KafkaServers(kafka_bootstrap_servers), [TopicSpec(name, 2, configs={"cleanup.policy": "compact"})]
    )
    assert (await describe(kafka_bootstrap_servers, name))[1]["cleanup.policy"] == "compact"


async def test_topics_that_stand_as_asked_are_left_alone(
    kafka_bootstrap_servers: str, kafka_prefix: str
) -> None:
    specs = [TopicSpec(f"{kafka_prefix}a", 2), TopicSpec(f"{kafka_prefix}b", 3)]
    await ensure_topics(KafkaServers(kafka_bootstrap_servers), specs[:1])
    await ensure_topics(KafkaServers(kafka_bootstrap_servers), specs)
    await ensure_topics(KafkaServers(kafka_bootstrap_servers), specs)
    assert [(await describe(kafka_bootstrap_servers, spec.name))[0] for spec in specs] == [2, 3]


async def test_processes_that_start_together_may_all_ask(
    kafka_bootstrap_servers: str, kafka_prefix: str
) -> None:
    specs = [TopicSpec(f"{kafka_prefix}{number}", 2) for number in range(4)]
    await asyncio.gather(*(ensure_topics(KafkaServers(kafka_bootstrap_servers), specs) for _ in range(4)))
    assert {spec.name for spec in specs} <= await topic_names(kafka_bootstrap_servers)


async def test_another_partition_count_is_refused_naming_topic_found_and_wanted(
    kafka_bootstrap_servers: str, kafka_prefix: str
) -> None:
    name = f"{kafka_prefix}few"
    await ensure_topics(KafkaServers(kafka_bootstrap_servers), [TopicSpec(name, 3)])
    with pytest.raises(TopicsAreWrong, match=f"topic {name} has 3 partitions, wanted 12"):
        await ensure_topics(KafkaServers(kafka_bootstrap_servers), [TopicSpec(name, 12)])
    assert (await describe(kafka_bootstrap_servers, name))[0] == 3


async def test_a_topic_that_takes_smaller_records_is_refused(
    kafka_bootstrap_servers: str, kafka_prefix: str
) -> None:
    name = f"{kafka_prefix}small"
    await ensure_topics(KafkaServers(kafka_bootstrap_servers), [TopicSpec(name, 1, record_bytes_max=100_000)])
    with pytest.raises(TopicsAreWrong, match=r"max.message.bytes=100000, wanted at least 1048576"):
        await ensure_topics(KafkaServers(kafka_bootstrap_servers), [TopicSpec(name, 1)])


async def test_a_missing_topic_is_not_made_for_who_did_not_ask_for_it(
    kafka_bootstrap_servers: str, kafka_prefix: str
) -> None:
    there, missing = TopicSpec(f"{kafka_prefix}there", 1), TopicSpec(f"{kafka_prefix}missing", 1)
    await ensure_topics(KafkaServers(kafka_bootstrap_servers), [there])
    with pytest.raises(TopicIsMissing, match=f"topic {missing.name} does not exist"):
        await ensure_topics(KafkaServers(kafka_bootstrap_servers), [there, missing], create_missing=False)
    assert missing.name not in await topic_names(kafka_bootstrap_servers)
    await ensure_topics(KafkaServers(kafka_bootstrap_servers), [there], create_missing=False)


@pytest.mark.parametrize("policy", ["compact", "compact,delete"])
async def test_a_compacted_topic_is_refused_unless_one_was_asked_for(
    policy: str, kafka_bootstrap_servers: str, kafka_prefix: str
) -> None:
    compacted = TopicSpec(f"{kafka_prefix}state", 1, configs={"cleanup.policy": policy})
    await ensure_topics(KafkaServers(kafka_bootstrap_servers), [compacted])
    await ensure_topics(KafkaServers(kafka_bootstrap_servers), [compacted])
    with pytest.raises(TopicsAreWrong, match=f"cleanup.policy={policy}, wanted delete"):
        await ensure_topics(KafkaServers(kafka_bootstrap_servers), [TopicSpec(compacted.name, 1)])


async def test_a_topic_that_forgets_otherwise_than_asked_is_refused(
    kafka_bootstrap_servers: str, kafka_prefix: str
) -> None:
    events, state = f"{kafka_prefix}log", f"{kafka_prefix}table"
    await ensure_topics(KafkaServers(kafka_bootstrap_servers), [TopicSpec(events, 1)])
    await ensure_topics(KafkaServers(kafka_bootstrap_servers), [TopicSpec(state, 1, configs=LATEST_PER_KEY)])
    with pytest.raises(TopicsAreWrong, match=f"topic {events} has cleanup.policy=delete, wanted compact"):
        await ensure_topics(
            KafkaServers(kafka_bootstrap_servers), [TopicSpec(events, 1, configs=LATEST_PER_KEY)]
        )
    with pytest.raises(TopicsAreWrong, match=f"topic {state} has cleanup.policy=compact, wanted delete"):
        await ensure_topics(KafkaServers(kafka_bootstrap_servers), [TopicSpec(state, 1)])


async def test_what_the_broker_refuses_to_make_is_an_operators_matter(
    kafka_bootstrap_servers: str, kafka_prefix: str
) -> None:
    with pytest.raises(TopicsAreWrong, match="InvalidReplicationFactorError"):
        await ensure_topics(KafkaServers(kafka_bootstrap_servers), [TopicSpec(f"{kafka_prefix}wide", 1, 3)])


async def test_with_replicas_one_may_be_down() -> None:
    assert TopicSpec("t", 1, 3).all_configs()["min.insync.replicas"] == "2"
    assert "min.insync.replicas" not in TopicSpec("t", 1, 1).all_configs()


async def test_a_broker_that_stays_away_is_an_error_in_the_end() -> None:
    with pytest.raises(KafkaUnavailable):
        await ensure_topics(KafkaServers(f"127.0.0.1:{free_port()}"), [TopicSpec("t", 1)], policy=IMPATIENT)


async def test_a_broker_that_comes_back_is_waited_for(
    kafka_server: KafkaServer, kafka_bootstrap_servers: str, kafka_prefix: str
) -> None:
    name = f"{kafka_prefix}late"
    await asyncio.to_thread(kafka_server.stop)
    asking = asyncio.create_task(ensure_topics(KafkaServers(kafka_bootstrap_servers), [TopicSpec(name, 2)]))
    await asyncio.to_thread(kafka_server.start)
    await asking
    assert name in await topic_names(kafka_bootstrap_servers)


async def test_a_shutdown_ends_the_waiting() -> None:
    stop = asyncio.Event()
    address = f"127.0.0.1:{free_port()}"
    asking = asyncio.create_task(ensure_topics(KafkaServers(address), [TopicSpec("t", 1)], stop=stop))
    stop.set()
    with pytest.raises(KafkaUnavailable):
        await asking
