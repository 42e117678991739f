"""The whole relay on real servers: what arrives in Kafka, whatever fails on the way.

Read by a client that is not ours. "Complete in order" means: per product the first occurrence of each
version comes in order and none is missing; repeats are what a consumer drops.
"""

import asyncio
import signal
from collections.abc import AsyncIterator

import pytest

from command_api.postgres.append_hint import AppendHint
from deploy.local.kafka import KafkaServer
from deploy.local.postgres import PostgresServer
from shared.contract.addresses import topics
from shared.kafka.servers import KafkaServers
from shared.kafka.topics import TopicSpec, ensure_topics
from tests.eventually import eventually
from tests.integration.relay_process import relay_process
from tests.integration.relay_world import (
    EventLog,
    assert_complete_in_order,
    event_log,
    get,
    read_events,
    relay_settings,
    relaying,
    sever,
)
from tests.servers import DatabaseDsns
from tests.unit.relay.sample_events import product, sample_event, sample_events, versions_by_product

pytestmark = pytest.mark.servers


@pytest.fixture
async def log(event_store_dsns: DatabaseDsns) -> AsyncIterator[EventLog]:
    async with event_log(event_store_dsns) as opened:
        yield opened


async def test_every_event_arrives_once_and_in_order_on_the_topic_of_all_and_on_that_of_its_kind(
    log: EventLog, event_store_dsns: DatabaseDsns, kafka_bootstrap_servers: str, kafka_prefix: str
) -> None:
    events = sample_events(1000, products=50)
    events.append(sample_event(1001, product(0), 21, event_type="product-deleted"))
    await log.append(events[:300])
    async with relaying(relay_settings(event_store_dsns, kafka_bootstrap_servers, kafka_prefix)):
        await log.append(events[300:])
        await log.cursor_reaches(1001)
    found = await read_events(kafka_bootstrap_servers, kafka_prefix)
    assert assert_complete_in_order(found, events) == 0
    assert sorted(found, key=lambda event: event.log_position) == events
    for kind, expected in (("created", events[:50]), ("updated", events[50:-1]), ("deleted", events[-1:])):
        of_kind = await read_events(kafka_bootstrap_servers, kafka_prefix, kind)  # type: ignore[arg-type]
        assert versions_by_product(of_kind) == versions_by_product(expected)


async def test_a_broker_that_dies_and_comes_back_under_load_loses_nothing(
    log: EventLog,
    event_store_dsns: DatabaseDsns,
    kafka_server: KafkaServer,
    kafka_bootstrap_servers: str,
    kafka_prefix: str,
) -> None:
    events = sample_events(20_000, products=200)
    await log.append(events[:10_000])
    async with relaying(relay_settings(event_store_dsns, kafka_bootstrap_servers, kafka_prefix)):
        await log.cursor_reaches(1000)
        await asyncio.to_thread(kafka_server.kill)
        await log.append(events[10_000:])
        await asyncio.to_thread(kafka_server.start)
        await log.cursor_reaches(20_000)
    assert_complete_in_order(await read_events(kafka_bootstrap_servers, kafka_prefix), events)


async def test_the_cursor_never_passes_an_event_that_kafka_does_not_have(
    log: EventLog,
    event_store_dsns: DatabaseDsns,
    kafka_server: KafkaServer,
    kafka_bootstrap_servers: str,
    kafka_prefix: str,
) -> None:
    events = sample_events(10_000, products=100)
    await log.append(events)
    settings = relay_settings(
        event_store_dsns, kafka_bootstrap_servers, kafka_prefix, relay_send_seconds_max=0.5
    )
    async with relaying(settings):
        await log.cursor_reaches(1000)
        await asyncio.to_thread(kafka_server.kill)
    cursor = await log.cursor()
    assert 1000 <= cursor < 10_000
    await asyncio.to_thread(kafka_server.start)
    for kind in ("events", "updated"):
        found = await read_events(kafka_bootstrap_servers, kafka_prefix, kind)  # type: ignore[arg-type]
        there = {event.log_position for event in found}
        wanted = {e.log_position for e in events[:cursor] if kind == "events" or e.stream_version > 1}
        assert wanted <= there


async def test_a_relay_killed_between_publishing_and_the_cursor_repeats_and_loses_nothing(
    log: EventLog, event_store_dsns: DatabaseDsns, kafka_bootstrap_servers: str, kafka_prefix: str
) -> None:
    events = sample_events(1000, products=20)
    await log.append(events)
    settings = relay_settings(event_store_dsns, kafka_bootstrap_servers, kafka_prefix)
    async with relay_process(settings, "kill-before-cursor:3") as relay:
        assert await relay.has_ended() == -signal.SIGKILL
    assert await log.cursor() == 200
    async with relaying(settings):
        await log.cursor_reaches(1000)
    repeats = assert_complete_in_order(await read_events(kafka_bootstrap_servers, kafka_prefix), events)
    assert repeats == 100, "the chunk whose confirmation was not saved"


async def test_of_two_relays_one_is_active_and_the_other_takes_over_when_it_is_killed(
    log: EventLog, event_store_dsns: DatabaseDsns, kafka_bootstrap_servers: str, kafka_prefix: str
) -> None:
    events = sample_events(600, products=20)
    await log.append(events[:200])
    first = relay_settings(event_store_dsns, kafka_bootstrap_servers, kafka_prefix)
    second = relay_settings(event_store_dsns, kafka_bootstrap_servers, kafka_prefix)
    async with relay_process(first) as active:
        await active.is_active()
        async with relay_process(second) as standby:
            await standby.is_active(False)

            async def is_ready() -> None:
                assert (await get(second.relay_ops_port, "/readyz")).status == 200
                assert (await get(second.relay_ops_port, "/livez")).status == 200

            await eventually(is_ready)
            await log.append(events[200:400])
            await log.cursor_reaches(400)
            await standby.is_active(False)
            active.signal(signal.SIGKILL)
            await active.has_ended()
            await standby.is_active()
            await log.append(events[400:])
            await log.cursor_reaches(600)
    assert_complete_in_order(await read_events(kafka_bootstrap_servers, kafka_prefix), events)


async def test_a_replaced_relay_that_wakes_up_late_repeats_old_records_and_harms_no_order(
    log: EventLog,
    event_store_dsns: DatabaseDsns,
    postgres_server: PostgresServer,
    kafka_bootstrap_servers: str,
    kafka_prefix: str,
) -> None:
    events = sample_events(1500, products=20)
    await log.append(events[:1000])
    settings = relay_settings(event_store_dsns, kafka_bootstrap_servers, kafka_prefix)
    async with relay_process(settings, "pause-before-publish:3") as replaced:
        await replaced.is_paused()
        assert await log.cursor() == 200
        await sever(postgres_server, event_store_dsns, "catalogue-relay")
        successor = relay_settings(event_store_dsns, kafka_bootstrap_servers, kafka_prefix)
        async with relaying(successor):
            await log.cursor_reaches(1000)
            published = len(await read_events(kafka_bootstrap_servers, kafka_prefix))
            replaced.signal(signal.SIGCONT)

            async def replaced_has_published() -> None:
                found = await read_events(kafka_bootstrap_servers, kafka_prefix)
                assert len(found) == published + 100

            await eventually(replaced_has_published)
            await log.append(events[1000:])
            await log.cursor_reaches(1500)
            await replaced.is_active(False)
    repeats = assert_complete_in_order(await read_events(kafka_bootstrap_servers, kafka_prefix), events)
    assert repeats == 100, "the one chunk that was in the replaced relay's hands"


async def test_a_topic_with_another_partition_count_is_refused_and_readiness_says_so(
    log: EventLog, event_store_dsns: DatabaseDsns, kafka_bootstrap_servers: str, kafka_prefix: str
) -> None:
    created = topics(kafka_prefix).created
    await ensure_topics(KafkaServers(kafka_bootstrap_servers), [TopicSpec(created, 3)])
    await log.append(sample_events(10))
    settings = relay_settings(event_store_dsns, kafka_bootstrap_servers, kafka_prefix)

    async def is_refused() -> None:
        ready = await get(settings.relay_ops_port, "/readyz")
        assert ready.status == 503
        assert f"topic {created} has 3 partitions, wanted 12" in ready.text

    async with relaying(settings):
        await eventually(is_refused)
        assert (await get(settings.relay_ops_port, "/livez")).status == 200
    assert await log.cursor() == 0


async def test_an_event_that_kafka_refuses_stops_the_relay_before_it_and_readiness_names_its_position(
    log: EventLog, event_store_dsns: DatabaseDsns, kafka_bootstrap_servers: str, kafka_prefix: str
) -> None:
    await log.append([*sample_events(3), sample_event(4, product(9), 1, data=b"x" * 1_500_000)])
    await log.append(sample_events(2, first_position=5))
    settings = relay_settings(event_store_dsns, kafka_bootstrap_servers, kafka_prefix)

    async def is_red() -> None:
        ready = await get(settings.relay_ops_port, "/readyz")
        assert ready.status == 503
        assert "position 4" in ready.text

    async with relaying(settings):
        await eventually(is_red)
        assert (await get(settings.relay_ops_port, "/livez")).status == 200
    assert await log.cursor() == 3


async def test_a_lost_hint_leaves_polling_and_the_listener_comes_back(
    log: EventLog,
    event_store_dsns: DatabaseDsns,
    postgres_server: PostgresServer,
    kafka_bootstrap_servers: str,
    kafka_prefix: str,
) -> None:
    events = sample_events(30)

    async def listens() -> None:
        count = (
            "SELECT count(*) FROM pg_stat_activity "
            "WHERE datname = current_database() AND application_name = $1"
        )
        assert await log.connection.fetchval(count, "catalogue-append-listener") == 1

    async with relaying(relay_settings(event_store_dsns, kafka_bootstrap_servers, kafka_prefix)):
        await eventually(listens)
        await sever(postgres_server, event_store_dsns, "catalogue-append-listener")
        await log.append(events)
        await log.cursor_reaches(30)
        await eventually(listens)
    assert_complete_in_order(await read_events(kafka_bootstrap_servers, kafka_prefix), events)


async def test_a_hint_wakes_a_relay_that_polls_once_an_hour(
    log: EventLog, event_store_dsns: DatabaseDsns, kafka_bootstrap_servers: str, kafka_prefix: str
) -> None:
    settings = relay_settings(
        event_store_dsns,
        kafka_bootstrap_servers,
        kafka_prefix,
        relay_poll_seconds_min=3600.0,
        relay_poll_seconds_max=3600.0,
    )
    hint = AppendHint(event_store_dsns.writer)
    await hint.start()
    async with relaying(settings):
        await eventually(lambda: _is_forwarding(settings.relay_ops_port))
        for position in (1, 2, 3):
            await log.append(sample_events(1, first_position=position))

            async def delivered(position: int = position) -> None:
                hint.notify()
                assert await log.cursor() == position

            await eventually(delivered)
        hint.notify()
    await hint.stop()


async def _is_forwarding(port: int) -> None:
    ready, metrics = await get(port, "/readyz"), await get(port, "/metrics")
    assert ready.status == 200
    assert "relay_active 1.0" in metrics.text


async def test_the_metrics_tell_where_the_relay_is(
    log: EventLog, event_store_dsns: DatabaseDsns, kafka_bootstrap_servers: str, kafka_prefix: str
) -> None:
    await log.append(sample_events(30))
    settings = relay_settings(event_store_dsns, kafka_bootstrap_servers, kafka_prefix)

    async def tell() -> None:
        text = (await get(settings.relay_ops_port, "/metrics")).text
        for line in (
            "relay_active 1.0",
            "relay_position 30.0",
            "relay_lag_events 0.0",
            "relay_lag_seconds 0.0",
        ):
            assert f"\n{line}\n" in text
        assert f'kafka_publish_total{{result="confirmed",topic="{kafka_prefix}products-events"}} 30.0' in text
        assert "\nevent_partitions_ahead 2.0\n" in text

    async with relaying(settings):
        await eventually(tell)


async def test_a_relay_told_to_stop_ends_in_order_and_the_next_repeats_nothing(
    log: EventLog, event_store_dsns: DatabaseDsns, kafka_bootstrap_servers: str, kafka_prefix: str
) -> None:
    events = sample_events(5000, products=20)
    await log.append(events)
    settings = relay_settings(
        event_store_dsns, kafka_bootstrap_servers, kafka_prefix, relay_chunk_events_max=10
    )
    async with relay_process(settings) as relay:
        await log.cursor_reaches(500)
        relay.signal(signal.SIGTERM)
        assert await relay.has_ended() == 0
    assert await log.cursor() < 5000
    async with relaying(relay_settings(event_store_dsns, kafka_bootstrap_servers, kafka_prefix)):
        await log.cursor_reaches(5000)
    assert assert_complete_in_order(await read_events(kafka_bootstrap_servers, kafka_prefix), events) == 0


async def test_a_lost_lock_connection_is_taken_anew(
    log: EventLog,
    event_store_dsns: DatabaseDsns,
    postgres_server: PostgresServer,
    kafka_bootstrap_servers: str,
    kafka_prefix: str,
) -> None:
    events = sample_events(5000, products=20)
    await log.append(events)
    async with relaying(relay_settings(event_store_dsns, kafka_bootstrap_servers, kafka_prefix)):
        for position in (500, 1500, 2500):
            await log.cursor_reaches(position)
            await sever(postgres_server, event_store_dsns, "catalogue-relay")
        await log.cursor_reaches(5000)
    assert_complete_in_order(await read_events(kafka_bootstrap_servers, kafka_prefix), events)


async def test_an_event_store_that_restarts_under_load_is_waited_for(
    log: EventLog,
    event_store_dsns: DatabaseDsns,
    postgres_server: PostgresServer,
    kafka_bootstrap_servers: str,
    kafka_prefix: str,
) -> None:
    events = sample_events(5000, products=20)
    settings = relay_settings(event_store_dsns, kafka_bootstrap_servers, kafka_prefix)

    async def is_ready() -> None:
        assert (await get(settings.relay_ops_port, "/readyz")).status == 200

    async with relaying(settings):
        # One that has not been ready yet stays unready without PostgreSQL.
        await eventually(is_ready)
        await log.append(events)
        await log.cursor_reaches(500)
        await asyncio.to_thread(postgres_server.kill)

        async def is_degraded() -> None:
            ready = await get(settings.relay_ops_port, "/readyz")
            assert ready.status == 200
            assert '"degraded":["event store","publishing"]' in ready.text
            assert (await get(settings.relay_ops_port, "/livez")).status == 200

        await eventually(is_degraded)
        await asyncio.to_thread(postgres_server.start)
        async with event_log(event_store_dsns) as reopened:
            await reopened.cursor_reaches(5000)
    assert_complete_in_order(await read_events(kafka_bootstrap_servers, kafka_prefix), events)


async def test_a_relay_told_to_stop_while_its_broker_hangs_gives_up_in_order(
    log: EventLog,
    event_store_dsns: DatabaseDsns,
    kafka_server: KafkaServer,
    kafka_bootstrap_servers: str,
    kafka_prefix: str,
) -> None:
    events = sample_events(10_000, products=20)
    await log.append(events[:9_000])
    settings = relay_settings(event_store_dsns, kafka_bootstrap_servers, kafka_prefix)
    async with relay_process(settings) as relay:
        await log.cursor_reaches(500)
        await asyncio.to_thread(kafka_server.pause)
        # A fast relay may have published all others before the pause.
        await log.append(events[9_000:])
        relay.signal(signal.SIGTERM)
        assert await relay.has_ended() == 0, "1 would say that the shutdown took too long"
    await asyncio.to_thread(kafka_server.resume)
    assert await log.cursor() < 10_000
    async with relaying(settings):
        await log.cursor_reaches(10_000)
    assert_complete_in_order(await read_events(kafka_bootstrap_servers, kafka_prefix), events)
