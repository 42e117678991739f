"""The topic of latest states: the last record of each product is its newest state, whatever happens."""

import asyncio
import signal
from typing import Any
from uuid import UUID

import pytest
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from deploy.local.kafka import KafkaServer
from deploy.local.ports import free_port
from shared.contract import events as e
from shared.contract.addresses import state_topic
from shared.contract.views import decode_document
from tests.eventually import eventually
from tests.integration.projector_commands import command
from tests.integration.projector_process import projector_process
from tests.integration.projector_world import PARTITIONS, World, product_id_in, world
from tests.integration.relay_world import describe, get, read_raw
from tests.integration.state_topic_world import STATE, all_published, expected, published, reached, table_of
from tests.unit.projector.histories import created, history, new_product_id, priced
from tests.unit.projector.records import folded

__all__ = ["world"]
pytestmark = pytest.mark.servers


async def records(world: World) -> list[Any]:
    """All that stands in the topic, aborted transactions included: what the least careful reader sees."""
    topic = state_topic(world.settings.kafka_topic_prefix)
    return await read_raw(world.settings.kafka_bootstrap_servers, topic)


async def versions(world: World, product_id: UUID) -> list[int]:
    """In the order in which the topic has them."""
    key = str(product_id).encode()
    return [_version(record) for record in await records(world) if record.key == key]


def _version(record: Any) -> int:
    return int(dict(record.headers)["ce_streamversion"])


async def test_a_table_made_from_the_topic_alone_is_the_fold_of_the_log(world: World) -> None:
    streams = [history(new_product_id(), created(f"Shirt {n}"), priced("2.00")) for n in range(30)]
    streams[0] = history(streams[0][0].product_id, created(), e.ProductPublished(), e.ProductArchived())
    streams[1] = history(streams[1][0].product_id, created(), priced("2.00"), e.ProductDeleted())
    async with world.projecting(STATE):
        for stream in streams:
            await world.happen(stream)
        for stream in streams:
            await reached(world, stream)
    table = await table_of(world)
    assert table == expected(streams)
    assert len(table) == 29
    for stream in streams:
        kept = await versions(world, stream[0].product_id)
        assert (kept, kept[-1]) == (sorted(set(kept)), stream[-1].stream_version)


async def test_a_record_says_what_it_is_in_its_headers_and_a_deleted_product_is_a_tombstone(
    world: World,
) -> None:
    events = history(product_id_in(3), created(), e.ProductDeleted(), first_position=7)
    product_id = str(events[0].product_id)
    async with world.projecting(STATE):
        await world.happen(events[:1])
        await reached(world, events[:1])
        await world.happen(events[1:])
        await reached(world, events)
    document, tombstone = await records(world)
    assert {(record.partition, record.key) for record in (document, tombstone)} == {(3, product_id.encode())}
    assert decode_document(document.value) == folded(events[:1])[1]
    assert dict(document.headers) == {
        "ce_specversion": b"1.0",
        "ce_id": f"{product_id}/1".encode(),
        "ce_type": b"product-state",
        "ce_source": b"/products",
        "ce_subject": product_id.encode(),
        "ce_time": b"2026-01-01T00:00:01Z",
        "ce_position": b"7",
        "ce_streamversion": b"1",
        "ce_logid": str(world.log_id).encode(),
        "content-type": b"application/json",
    }
    assert tombstone.value is None
    headers = dict(tombstone.headers)
    assert (headers["ce_id"], headers["ce_time"]) == (f"{product_id}/2".encode(), b"2026-01-01T00:00:02Z")
    assert "content-type" not in headers


async def test_the_topic_is_compacted_and_one_that_is_not_is_refused(world: World) -> None:
    topic = state_topic(world.settings.kafka_topic_prefix)
    servers = world.settings.kafka_bootstrap_servers
    admin = AIOKafkaAdminClient(bootstrap_servers=servers)
    await admin.start()
    try:
        await admin.create_topics([NewTopic(topic, PARTITIONS, 1)])
        event = history(product_id_in(3), created())[0]
        async with world.projecting(STATE, wait=False):
            await world.happen([event])

            async def says_so() -> None:
                check = (await world.ops("/readyz")).json()["checks"][f"{STATE} {topic}"]
                assert f"topic {topic} has cleanup.policy=delete, wanted compact" in check

            await eventually(says_so)
            await eventually(lambda: published(world, event.product_id, 0))
            await admin.delete_topics([topic])
            await reached(world, [event])
            await eventually(world.ready)
    finally:
        await admin.close()
    partitions, configs = await describe(servers, topic)
    assert (partitions, configs["cleanup.policy"]) == (PARTITIONS, "compact")
    assert int(configs["delete.retention.ms"]) >= 24 * 3600 * 1000


async def test_duplicates_and_replays_publish_nothing_new(world: World) -> None:
    events = history(product_id_in(3), created(), priced("2.00"))
    behind = history(product_id_in(3), created())
    async with world.projecting(STATE):
        await world.happen(events)
        await reached(world, events)
        before = await versions(world, events[0].product_id)
        await world.publish(events)
        await world.happen(behind)
        await reached(world, behind)
    async with world.projecting(STATE):
        await eventually(lambda: all_published(world))
        assert await versions(world, events[0].product_id) == before


async def test_rows_that_a_rebuild_made_anew_are_published_anew(world: World) -> None:
    events = history(product_id_in(3), created(), priced("2.00"))
    async with world.projecting(STATE):
        await world.happen(events)
        await reached(world, events)
        before = await versions(world, events[0].product_id)
        # As a rebuild leaves them, whose documents are of the same versions.
        await world.views.execute("UPDATE views.product_state SET published_version = 0")
        await reached(world, events)
        assert await versions(world, events[0].product_id) == [*before, 2]


async def test_a_topic_that_was_lost_is_filled_again(world: World) -> None:
    streams = [history(new_product_id(), created()) for _ in range(20)]
    topic = state_topic(world.settings.kafka_topic_prefix)
    async with world.projecting(STATE):
        for stream in streams:
            await world.happen(stream)
        for stream in streams:
            await reached(world, stream)
    admin = AIOKafkaAdminClient(bootstrap_servers=world.settings.kafka_bootstrap_servers)
    await admin.start()
    await admin.delete_topics([topic])
    await admin.close()
    async with world.projecting(STATE):

        async def is_whole() -> None:
            assert await table_of(world) == expected(streams)

        await eventually(is_whole, 60)


@pytest.mark.parametrize("place", ["before-publish", "before-commit", "before-mark"])
async def test_a_projector_killed_while_publishing_leaves_it_to_the_next_one(
    world: World, place: str
) -> None:
    events = history(product_id_in(3), created(), priced("2.00"), priced("3.00"))
    settings = world.settings.model_copy(update={"session_timeout_seconds": 2.0})
    async with projector_process(settings, STATE, fault=f"kill-{place}:1") as killed:
        await world.happen(events[:2])
        assert await killed.has_ended() == -signal.SIGKILL
    assert await world.views.fetchval("SELECT max(published_version) FROM views.product_state") == 0
    async with world.projecting(STATE, session_timeout_seconds=2.0):
        await reached(world, events[:2])
        await world.happen(events[2:])
        await reached(world, events)
    kept = await versions(world, events[0].product_id)
    assert kept == sorted(kept)
    assert kept[-1] == 3
    assert await table_of(world) == expected([events])


@pytest.mark.parametrize("place", ["before-publish", "before-commit"])
async def test_a_replaced_publisher_that_wakes_up_writes_nothing_after_its_successor(
    world: World, place: str
) -> None:
    events = history(product_id_in(3), created(), priced("2.00"), e.ProductDeleted())
    settings = world.settings.model_copy(
        update={"session_timeout_seconds": 2.0, "projector_ops_port": free_port()}
    )
    async with projector_process(settings, STATE, fault=f"pause-{place}:1") as replaced:
        await world.happen(events[:1])
        await replaced.is_paused()
        async with world.projecting(STATE, session_timeout_seconds=2.0):
            await world.happen(events[1:])
            await reached(world, events)
            replaced.signal(signal.SIGCONT)

            async def was_fenced() -> None:
                metrics = (await get(settings.projector_ops_port, "/metrics")).text
                assert "states_fenced_total 0.0" not in metrics
                assert "states_fenced_total" in metrics

            await eventually(was_fenced)
            kept = await versions(world, events[0].product_id)
            assert kept == sorted(kept)
            assert kept[-1] == 3
            assert await table_of(world) == {}


async def test_partitions_that_move_between_projectors_end_with_the_newest_states(world: World) -> None:
    streams = [history(new_product_id(), created(), priced("2.00"), priced("3.00")) for _ in range(30)]
    other = World(
        world.settings.model_copy(update={"projector_ops_port": free_port()}),
        world.store, world.views, world.redis, world.producer, world.log_id, world.owner_dsns,
    )  # fmt: skip
    async with world.projecting(STATE):
        for stream in streams:
            await world.happen(stream[:1])
        async with other.projecting(STATE):
            for stream in streams:
                await world.happen(stream[1:2])
            for stream in streams:
                await reached(world, stream[:2])
        for stream in streams:
            await world.happen(stream[2:])
        for stream in streams:
            await reached(world, stream)
    assert await table_of(world) == expected(streams)
    for stream in streams:
        kept = await versions(world, stream[0].product_id)
        assert kept == sorted(kept)


async def test_a_broker_that_restarts_under_load_loses_no_state(
    world: World, kafka_server: KafkaServer
) -> None:
    streams = [history(new_product_id(), created(), priced("2.00"), priced("3.00")) for _ in range(30)]
    async with world.projecting(STATE):
        for stream in streams:
            await world.happen(stream[:2])
        await asyncio.to_thread(kafka_server.kill)
        await asyncio.to_thread(kafka_server.start)
        for stream in streams:
            await world.happen(stream[2:])
        for stream in streams:
            await reached(world, stream)
        await eventually(world.ready)
    assert await table_of(world) == expected(streams)
    for stream in streams:
        kept = await versions(world, stream[0].product_id)
        assert kept == sorted(kept)


async def test_a_paused_projection_publishes_nothing_until_it_is_resumed(world: World) -> None:
    events = history(product_id_in(3), created(), priced("2.00"))
    async with world.projecting(STATE):
        await world.happen(events[:1])
        await reached(world, events[:1])
        await command(world, "pause", STATE, "--reason", "looking")

        async def is_paused() -> None:
            assert 'projection_paused{projection="products_state"} 1.0' in (await world.ops("/metrics")).text

        await eventually(is_paused)
        before = len(await records(world))
        await world.views.execute("UPDATE views.product_state SET published_version = 0")
        await world.happen(events[1:])
        waiting = "states_waiting 1.0"

        async def waits() -> None:
            assert waiting in (await world.ops("/metrics")).text

        await eventually(waits)
        assert len(await records(world)) == before
        await command(world, "resume", STATE)
        await reached(world, events)
