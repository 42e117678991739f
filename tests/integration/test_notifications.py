"""Notifications as they run: from Kafka to the mail server, to retry topics, to dead letters, and back."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from deploy.local.kafka import KafkaServer
from deploy.local.ports import free_port
from projector.operators.status import read_status
from projector.projections import NAMES, SEARCH_INDEX
from shared.contract import events as e
from shared.contract.recorded_event import RecordedEvent
from shared.kafka.cloud_event import record_headers
from shared.ops.secret import NO_SECRET, Secret
from tests.counters import counted
from tests.eventually import eventually
from tests.integration.projector_commands import command, dead_letters
from tests.integration.projector_environment import environment_of
from tests.integration.projector_process import projector_process
from tests.integration.projector_world import World, committed, product_id_in, world
from tests.integration.relay_world import read_raw
from tests.mail_server import MailServer, mail_server
from tests.unit.projector.histories import created, history, new_product_id, priced

__all__ = ["world"]
pytestmark = pytest.mark.servers
MAILS = "notifications"
ANN = "ann@x.test"


@pytest_asyncio.fixture
async def mails(world: World) -> AsyncIterator[MailServer]:
    """A mail server, and a projector that is told of it; `world.settings` is changed."""
    async with mail_server() as server:
        world.settings = world.settings.model_copy(
            update={
                "smtp_url": Secret(server.url),
                "notification_recipients": ANN,
                "notification_retry_delays": "100ms,200ms,300ms",
                "notification_single_mails_max": 1000,
                "notification_send_seconds_max": 1.0,
                "smtp_timeout_seconds": 0.5,
                "read_url": "http://read.test",
                "session_timeout_seconds": 2.0,
            }
        )
        yield server


def new(name: str = "Shirt", partition: int = 3) -> RecordedEvent:
    return history(product_id_in(partition), created(name))[0]


async def told(mails: MailServer, *names: str) -> None:
    """Exactly of these new products, in any order."""
    assert sorted(mails.subjects()) == sorted(f"New product: {name}" for name in names)


async def settled(world: World, count: int) -> None:
    """All claims have ended: nobody is about to send anything."""
    states = await world.views.fetch("SELECT state FROM views.notification")
    assert len(states) == count
    assert not {"planned", "claimed"} & {row["state"] for row in states}


async def parked(world: World, *error_classes: str) -> None:
    rows = await world.views.fetch("SELECT * FROM views.parked_event ORDER BY parked_event_id")
    assert [row["error_class"] for row in rows] == list(error_classes)


def retry_topic(world: World, delay: str) -> str:
    return f"{world.topic}.{world.settings.kafka_topic_prefix}{MAILS}.retry.{delay}"


async def topic_records(world: World, topic: str) -> list[Any]:
    return await read_raw(world.settings.kafka_bootstrap_servers, topic)


async def test_people_are_told_of_new_products_lower_prices_and_archived_products(
    world: World, mails: MailServer
) -> None:
    events = history(
        product_id_in(3), created("Shirt"), priced("0.50"), priced("1.70"), e.ProductPublished(),
        e.ProductArchived(),
    )  # fmt: skip
    async with world.projecting(MAILS):
        await world.happen(events)
        await eventually(lambda: settled(world, 3))
    assert sorted(mails.subjects()) == [
        "Archived: Shirt", "New product: Shirt", "Price dropped: Shirt, now 0.50 EUR",
    ]  # fmt: skip
    assert set(mails.recipients()) == {ANN}
    assert f"http://read.test/v1/products/{events[0].product_id}" in mails.taken[0].text


async def test_a_new_group_is_silent_about_what_is_past_and_an_old_one_goes_on_where_it_was(
    world: World, mails: MailServer
) -> None:
    past, first, meanwhile, last = (new(name) for name in ("Past", "First", "Meanwhile", "Last"))
    await world.happen([past])
    async with world.projecting(MAILS):
        await world.happen([first])
        await eventually(lambda: told(mails, "First"))
    await world.happen([meanwhile])
    async with world.projecting(MAILS):
        await world.happen([last])
        await eventually(lambda: told(mails, "First", "Meanwhile", "Last"))
    assert await committed(world, MAILS, 3) == 4


async def test_replays_and_duplicates_send_nothing(world: World, mails: MailServer) -> None:
    replayed, event, behind = new("Replayed"), new("Once"), new("Behind")
    log_id = str(world.log_id).encode()
    before = counted("projector_events_total", projection=MAILS, result="replay")
    async with world.projecting(MAILS):
        await world.append([replayed, event, behind])
        headers = record_headers(replayed, log_id, is_replay=True)
        await world.publish_raw(str(replayed.product_id).encode(), replayed.data, headers)
        await world.publish([event, event, behind])
        await eventually(lambda: told(mails, "Once", "Behind"))
        await world.publish([event])
        await world.publish([new("Last")])
        await eventually(lambda: told(mails, "Once", "Behind", "Last"))
    assert counted("projector_events_total", projection=MAILS, result="replay") == before + 1


async def test_what_could_not_be_sent_waits_in_the_retry_topics_in_order_and_not_too_short(
    world: World, mails: MailServer
) -> None:
    events = [new(f"Shirt {number}") for number in range(5)]
    mails.behave("RCPT:450 later")
    async with world.projecting(MAILS, notification_retry_delays="500ms,1h"):
        await world.happen(events)

        async def waits() -> list[Any]:
            found = await topic_records(world, retry_topic(world, "500ms"))
            assert len(found) == 5
            return found

        first = await eventually(waits)
        mails.behave("accept")
        await eventually(lambda: told(mails, *(f"Shirt {number}" for number in range(5))))
    assert [record.key for record in first] == [str(one.product_id).encode() for one in events]
    for offset, (record, event) in enumerate(zip(first, events, strict=True)):
        headers = dict(record.headers)
        assert (record.partition, record.value) == (3, event.data)
        assert dict(record_headers(event, str(world.log_id).encode())).items() <= headers.items()
        assert (headers["x-attempt"], headers["x-cause"]) == (b"1", f"{ANN}: 450 later".encode())
        assert headers["x-original-topic"] == world.topic.encode()
        assert (headers["x-original-partition"], headers["x-original-offset"]) == (b"3", b"%d" % offset)
        taken = next(one for one in mails.taken if str(event.metadata.event_id).encode() in one.raw)
        assert taken.taken_at_ms >= int(headers["x-not-before"])


async def test_after_the_last_delay_it_is_a_dead_letter_with_its_history_and_a_retry_sends_it(
    world: World, mails: MailServer
) -> None:
    event = new()
    mails.behave("RCPT:450 later")
    async with world.projecting(MAILS):
        await world.happen([event])
        await eventually(lambda: parked(world, "mail-not-sent"))
        assert mails.connections == 4
        topic = f"{world.topic}.{world.settings.kafka_topic_prefix}{MAILS}.dlt"

        async def is_copied() -> Any:
            done = "SELECT count(*) FROM views.parked_event WHERE copied_at IS NOT NULL"
            assert await world.views.fetchval(done) == 1

        await eventually(is_copied)
        (copy,) = await topic_records(world, topic)
    headers = dict(copy.headers)
    assert (copy.partition, copy.key, copy.value) == (3, str(event.product_id).encode(), event.data)
    assert headers["ce_id"] == str(event.metadata.event_id).encode()
    assert headers["x-attempt"] == b"4"
    assert headers["kafka_dlt-original-topic"] == headers["__streams.errors.topic"] == world.topic.encode()
    assert int.from_bytes(headers["kafka_dlt-original-offset"], "big") == 0
    assert headers["__streams.errors.exception"] == headers["kafka_dlt-exception-fqcn"] == b"mail-not-sent"
    assert headers["kafka_dlt-exception-message"] == f"{ANN}: 450 later".encode()

    (dead_letter,) = await dead_letters(world, "--projection", MAILS)
    assert (dead_letter["error_class"], dead_letter["cause"]) == ("mail-not-sent", f"{ANN}: 450 later")
    mails.behave("end:554 spam")
    choice = ("dead-letters", "retry", "--projection", MAILS, "--id", str(dead_letter["letter_id"]))
    assert "554 spam" in await command(world, *choice, code=3)
    (dead_letter,) = await dead_letters(world, "--projection", MAILS)
    assert dead_letter["error_class"] == "mail-refused"
    mails.behave("accept")
    assert "retried" in await command(world, *choice, "--reason", "the server is mended")
    assert await dead_letters(world) == []
    await told(mails, "Shirt")


async def test_what_may_have_been_sent_is_never_sent_again_but_by_a_person_who_says_so(
    world: World, mails: MailServer
) -> None:
    event = new()
    mails.then("end:drop")
    async with world.projecting(MAILS):
        await world.happen([event])
        await eventually(lambda: parked(world, "mail-outcome-unknown"))
    await world.publish([event])
    async with world.projecting(MAILS):
        await world.happen([new("Behind")])
        await eventually(lambda: told(mails, "Shirt", "Behind"))
    choice = ("dead-letters", "retry", "--projection", MAILS, "--class", "mail-outcome-unknown")
    assert "--resend-unknown" in await command(world, *choice, "--json", code=3)
    await told(mails, "Shirt", "Behind")
    await command(world, *choice, "--resend-unknown", "--reason", "nobody got it")
    await told(mails, "Shirt", "Shirt", "Behind")
    assert await dead_letters(world) == []


async def test_what_is_given_up_is_forgotten_and_stays_so(world: World, mails: MailServer) -> None:
    event = new()
    mails.then("RCPT:550 nobody")
    async with world.projecting(MAILS):
        await world.happen([event])
        await eventually(lambda: parked(world, "mail-refused"))
        choice = ("dead-letters", "discard", "--projection", MAILS, "--all", "--reason", "they have left")
        assert "discarded" in await command(world, *choice)
        await world.publish([event])
        await world.happen([new("Behind")])
        await eventually(lambda: told(mails, "Behind"))
    assert await dead_letters(world) == []
    states = await world.views.fetch("SELECT state FROM views.notification ORDER BY state")
    assert [row["state"] for row in states] == ["discarded", "sent"]


async def test_a_mail_server_that_is_down_for_a_while_costs_nobody_a_mail(
    world: World, mails: MailServer
) -> None:
    names = [f"Shirt {number}" for number in range(6)]
    await mails.stop()
    async with world.projecting(MAILS, notification_retry_delays="100ms,200ms,400ms,800ms,2s,4s"):
        await world.happen([new(name, partition) for partition, name in enumerate(names)])

        async def some_wait() -> None:
            assert await topic_records(world, retry_topic(world, "200ms"))

        await eventually(some_wait)
        await mails.start()
        await eventually(lambda: told(mails, *names))
        await eventually(lambda: settled(world, 6))
    assert await dead_letters(world) == []


@pytest.mark.parametrize(("place", "taken"), [("before-send", 0), ("before-settle", 1)])
async def test_a_projector_killed_between_claim_and_settlement_leaves_the_mail_to_a_person(
    world: World, mails: MailServer, place: str, taken: int
) -> None:
    async with world.projecting(MAILS):
        pass  # the group begins here, not after the kill
    event = new()
    async with projector_process(world.settings, MAILS, fault=f"kill-{place}:1") as killed:
        await world.happen([event])
        assert await killed.has_ended() == -signal.SIGKILL
    assert len(mails.taken) == taken
    async with world.projecting(MAILS, notification_retry_delays="100ms,3s"):
        await world.happen([new("Behind")])
        await eventually(lambda: parked(world, "mail-outcome-unknown"))
        await eventually(lambda: settled(world, 2))
    assert len(mails.taken) == taken + 1
    assert mails.subjects()[-1] == "New product: Behind"


async def test_a_projector_that_is_killed_again_and_again_sends_no_mail_twice(
    world: World, mails: MailServer
) -> None:
    async with world.projecting(MAILS):
        pass
    names = [f"Shirt {number}" for number in range(12)]
    await world.happen([new(name) for name in names])
    for fault in ("kill-before-settle:3", "kill-before-send:2", "kill-before-settle:2"):
        async with projector_process(world.settings, MAILS, fault=fault) as killed:
            assert await killed.has_ended() == -signal.SIGKILL
    async with world.projecting(MAILS, notification_retry_delays="100ms,3s"):
        await eventually(lambda: settled(world, 12), 60)
    subjects = mails.subjects()
    assert len(subjects) == len(set(subjects))
    sent = await world.views.fetchval("SELECT count(*) FROM views.notification WHERE state = 'sent'")
    unknown = await world.views.fetchval("SELECT count(*) FROM views.notification WHERE state = 'unknown'")
    # Everybody else was told; a person decides about the ones that were on their way.
    assert (sent + unknown, unknown > 0) == (12, True)
    await parked(world, *["mail-outcome-unknown"] * unknown)


async def test_two_projectors_that_take_over_from_each_other_send_each_mail_once(
    world: World, mails: MailServer
) -> None:
    names = [f"Shirt {number}" for number in range(40)]
    events = [history(new_product_id(), created(name))[0] for name in names]
    other = World(
        world.settings.model_copy(update={"projector_ops_port": free_port()}),
        world.store, world.views, world.redis, world.producer, world.log_id, world.owner_dsns,
    )  # fmt: skip
    async with world.projecting(MAILS):
        await world.happen(events[:20])
        async with other.projecting(MAILS):
            await world.happen(events[20:30])
        await world.happen(events[30:])
        await eventually(lambda: settled(world, 40), 60)
    await told(mails, *names)


async def test_a_broker_that_is_away_while_mails_are_put_off_loses_and_repeats_none(
    world: World, mails: MailServer, kafka_server: KafkaServer
) -> None:
    names = [f"Shirt {number}" for number in range(8)]
    mails.behave("RCPT:450 later")
    async with world.projecting(MAILS, notification_retry_delays="100ms,200ms,400ms,800ms,2s,4s,8s"):
        await world.happen([new(name, partition) for partition, name in enumerate(names)])

        async def some_wait() -> None:
            assert await world.views.fetchval("SELECT coalesce(max(attempts), 0) FROM views.notification") > 1

        await eventually(some_wait)
        await asyncio.to_thread(kafka_server.kill)
        await asyncio.to_thread(kafka_server.start)
        mails.behave("accept")
        await eventually(lambda: told(mails, *names), 60)
        await eventually(world.ready)
    assert await dead_letters(world) == []


async def test_a_record_that_is_no_event_and_one_that_cannot_be_decoded_are_parked_and_others_flow(
    world: World, mails: MailServer
) -> None:
    spoilt, behind = new(), new("Behind")
    async with world.projecting(MAILS):
        await world.producer.send_and_wait(world.topic, b"?", b"no id", partition=3)
        headers = record_headers(spoilt, str(world.log_id).encode())
        await world.publish_raw(str(spoilt.product_id).encode(), b"{", headers)
        await world.happen([behind])
        await eventually(lambda: told(mails, "Behind"))
        await eventually(lambda: parked(world, "unreadable-record", "undecodable"))
    sql = "SELECT topic, partition, record_offset FROM views.parked_event ORDER BY record_offset"
    places = await world.views.fetch(sql)
    assert [tuple(row) for row in places] == [(world.topic, 3, 0), (world.topic, 3, 1)]


async def test_an_event_that_the_log_does_not_have_stops_its_partition_until_it_is_parked_by_order(
    world: World, mails: MailServer
) -> None:
    forged = history(product_id_in(3), created(), priced("0.50"), first_position=1)[1]
    elsewhere = history(product_id_in(4), created("Elsewhere"), first_position=5)[0]
    async with world.projecting(MAILS, stopped_seconds=0.3):
        await world.append([elsewhere])
        await world.publish([forged, elsewhere])
        await eventually(lambda: told(mails, "Elsewhere"))

        async def is_stopped() -> None:
            check = (await world.ops("/readyz")).json()["checks"][MAILS]
            assert "partition 3 stopped: the log lacks version 2" in check

        await eventually(is_stopped)
        await command(
            world, "dead-letters", "park", "--projection", MAILS, "--partition", "3", "--offset", "0",
            "--reason", "forged",
        )  # fmt: skip
        await eventually(lambda: parked(world, "ordered"))
        await eventually(world.ready)
    await told(mails, "Elsewhere")


async def test_an_event_of_another_log_stops_the_notifications(world: World, mails: MailServer) -> None:
    event = new()
    async with world.projecting(MAILS):
        await world.publish([event], log_id=event.product_id)
        assert str(event.product_id) in await eventually(lambda: world.stopped(MAILS))
    assert mails.taken == []


async def test_when_very_many_mails_are_refused_it_is_no_matter_of_parking(
    world: World, mails: MailServer
) -> None:
    names = [f"Shirt {number}" for number in range(10)]
    mails.behave("RCPT:550 relaying denied")
    async with world.projecting(MAILS, parked_products_per_minute_max=2):
        await world.happen([new(name) for name in names])

        async def waits() -> None:
            assert (
                'projection_breaker_open{projection="notifications"} 1.0'
                in (await world.ops("/metrics")).text
            )
            assert MAILS in (await world.ops("/readyz")).json()["degraded"]

        await eventually(waits)
        assert await world.views.fetchval("SELECT count(*) FROM views.parked_event") <= 2
    assert mails.taken == []


async def test_a_batch_that_takes_long_is_done_in_parts(world: World, mails: MailServer) -> None:
    names = [f"Shirt {number}" for number in range(5)]
    recipients = [f"r{number}@x.test" for number in range(2)]
    async with world.projecting(
        MAILS,
        notification_recipients=",".join(recipients),
        notification_batch_seconds_max=0.001,
        notification_connections_max=1,
    ):
        await world.happen([new(name) for name in names])
        await eventually(lambda: settled(world, 10), 60)
    assert sorted(mails.recipients()) == sorted(recipients * 5)


async def test_a_paused_projection_sends_nothing_until_it_is_resumed_and_status_tells_where_it_is(
    world: World, mails: MailServer
) -> None:
    async with world.projecting(MAILS):
        await world.happen([new("First")])
        await eventually(lambda: told(mails, "First"))
        await command(world, "pause", MAILS, "--reason", "quiet")

        async def is_paused() -> None:
            assert 'projection_paused{projection="notifications"} 1.0' in (await world.ops("/metrics")).text

        await eventually(is_paused)
        await world.happen([new("Second")])
        of = {one.partition: one for one in (await read_status(world.settings)).partitions}
        assert (of[3].projection, of[3].next_offset, of[3].lag_events) == (MAILS, 1, 1)
        await told(mails, "First")
        await command(world, "resume", MAILS)
        await eventually(lambda: told(mails, "First", "Second"))


async def test_a_retry_topic_that_is_wrong_stops_the_notifications_with_what_is_wrong(
    world: World, mails: MailServer
) -> None:
    topic = retry_topic(world, "100ms")
    admin = AIOKafkaAdminClient(bootstrap_servers=world.settings.kafka_bootstrap_servers)
    await admin.start()
    await admin.create_topics([NewTopic(topic, 5, 1)])
    await admin.close()
    async with world.projecting(MAILS, wait=False):
        reason = await eventually(lambda: world.stopped(MAILS))
        assert f"topic {topic} has 5 partitions, wanted 12" in reason


async def test_without_a_mail_server_they_are_not_among_those_that_run_and_say_so_when_named(
    world: World, mails: MailServer
) -> None:
    dead_letter = new()
    mails.then("RCPT:550 nobody")
    async with world.projecting(MAILS):
        await world.happen([dead_letter])
        await eventually(lambda: parked(world, "mail-refused"))
    world.settings = world.settings.model_copy(update={"smtp_url": NO_SECRET})
    output = await command(world, "run", MAILS, code=2)
    assert "set SMTP_URL and NOTIFICATION_RECIPIENTS" in output
    assert len(output.splitlines()) == 1
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "projector", "run", stdout=asyncio.subprocess.PIPE,
        env={**os.environ, **environment_of(world.settings)},
    )  # fmt: skip
    try:
        assert process.stdout is not None
        while (line := json.loads(await process.stdout.readline()))["event"] != "started":
            pass
    finally:
        process.kill()
        await process.communicate()
    assert line["projections"] == [name for name in NAMES if name not in (MAILS, SEARCH_INDEX.name)]
    choice = ("--projection", MAILS, "--all", "--reason", "x")
    assert "there is no mail server" in await command(
        world, "dead-letters", "retry", *choice, "--json", code=3
    )
    await command(world, "dead-letters", "discard", *choice)
    assert await dead_letters(world) == []
