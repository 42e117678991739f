"""Webhooks reach a real receiver: signed, in order for each product, retried, throttled, sent again."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
import pytest_asyncio
from standardwebhooks import WebhookVerificationError

from projector.control.ports import NEVER_PAUSED, Control
from projector.errors import Unavailable
from projector.webhooks.fan_out import Fanned, FanOut
from projector.webhooks.read_lag import ReadLag
from shared.contract.recorded_event import RecordedEvent
from shared.kafka.cloud_event_json import event_json
from shared.ops.metrics.webhooks import READ_LAG_SECONDS
from shared.webhooks import endpoint as webhook_endpoint
from tests.eventually import eventually
from tests.integration.webhook_delivery_world import Registered, WebhookWorld, webhook_world
from tests.past_events import created, past_events, priced
from tests.servers import DatabaseDsns
from tests.webhook_receiver import Answering, Received, Receiver, webhook_receiver

pytestmark = pytest.mark.servers


@pytest_asyncio.fixture
async def world(event_store_dsns: DatabaseDsns, read_model_dsns: DatabaseDsns) -> AsyncIterator[WebhookWorld]:
    async with webhook_world(event_store_dsns, read_model_dsns) as made:
        yield made


@pytest_asyncio.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with webhook_receiver() as made:
        yield made


def product(prices: int = 2) -> list[RecordedEvent]:
    """Created, then priced some times."""
    return past_events(created(), *(priced(f"{number}.00") for number in range(1, prices + 1)))


def takes(receiver: Receiver, count: int) -> None:
    assert len(receiver.taken) == count, [len(receiver.received), len(receiver.taken)]


async def settled(world: WebhookWorld, endpoint: Registered, *states: str) -> None:
    found = [row["state"] for row in await world.deliveries(endpoint)]
    assert found == list(states), found


def takes_different(receiver: Receiver, count: int) -> None:
    assert len({each.webhook_id for each in receiver.taken}) == count, len(receiver.received)


async def test_events_come_signed_as_the_feed_has_them(world: WebhookWorld, receiver: Receiver) -> None:
    before, events = product(), product()
    await world.happen(before)
    endpoint = await world.register(receiver.url)
    async with world.delivering():
        await world.happen(events)
        await eventually(lambda: takes(receiver, len(events)))
        log_id = str(await world.log.fetchval("SELECT log_id FROM catalogue.event_log"))
        for event, received in zip(events, receiver.taken, strict=True):
            received.verify(endpoint.key.shown)
            assert received.webhook_id == str(event.metadata.event_id)
            assert received.event == json.loads(event_json(event, log_id.encode()))
            assert received.headers["content-type"] == "application/json"
            assert received.path == "/hook"
        assert [each.message["type"] for each in receiver.taken] == [
            "product.created", "product.price_changed", "product.price_changed",
        ]  # fmt: skip
        await eventually(lambda: settled(world, endpoint, *["delivered"] * 3))
        assert all(row["is_bodiless"] for row in await world.deliveries(endpoint))
        assert await world.lanes() == 0


async def test_an_endpoint_gets_what_it_asked_for(world: WebhookWorld, receiver: Receiver) -> None:
    first, second = product(), product()
    async with webhook_receiver() as other:
        await world.register(receiver.url, types=("product-price-changed",))
        await world.register(other.url, product_ids=(second[0].product_id,))
        await world.happen(first, second)
        async with world.delivering():
            await eventually(lambda: takes(receiver, 4))
            await eventually(lambda: takes(other, 3))
    assert {each.event["type"] for each in receiver.taken} == {"product-price-changed"}
    assert {each.event["subject"] for each in other.taken} == {str(second[0].product_id)}


async def test_a_failing_product_waits_and_others_flow(world: WebhookWorld, receiver: Receiver) -> None:
    bad, good = product(3), product(3)
    bad_id, is_mended = str(bad[0].product_id), False

    def answer(received: Received) -> Answering:
        is_bad = received.event["subject"] == bad_id and not is_mended
        return Answering(500, b"no \x00 such thing") if is_bad else Answering()

    receiver.answer = answer
    endpoint = await world.register(receiver.url)
    await world.happen(bad, good)
    async with world.delivering(webhook_retry_seconds=",".join(["0.05"] * 10_000)):
        await eventually(lambda: takes(receiver, len(good)))
        attempts = [each for each in receiver.received if each.event["subject"] == bad_id]
        await eventually(lambda: _has_failed(world, endpoint, 3))
        assert {each.event["streamversion"] for each in attempts} == {1}
        is_mended = True
        await eventually(lambda: takes(receiver, len(good) + len(bad)))
    assert receiver.positions_by_product()[bad_id] == [event.log_position for event in bad]
    assert len({each.webhook_id for each in attempts}) == 1
    row = (await world.deliveries(endpoint))[0]
    first, *_, last = json.loads(row["attempts"])
    assert (first["status"], first["response"]) == (500, "no \N{REPLACEMENT CHARACTER} such thing")
    assert last["status"] == 204


async def _has_failed(world: WebhookWorld, endpoint: Registered, times: int) -> None:
    attempts = [json.loads(row["attempts"]) for row in await world.deliveries(endpoint)]
    assert any(len(each) >= times for each in attempts)


async def test_after_the_last_try_the_next_event_comes(world: WebhookWorld, receiver: Receiver) -> None:
    events = product(1)
    receiver.answer = lambda received: Answering(400 if received.event["streamversion"] == 1 else 200)
    endpoint = await world.register(receiver.url)
    await world.happen(events)
    async with world.delivering():
        await eventually(lambda: settled(world, endpoint, "failed", "delivered"))
    assert [each.event["streamversion"] for each in receiver.received] == [1, 1, 1, 2]
    # An owner who has mended the receiver asks for it again.
    receiver.answer = lambda _: Answering()
    failed = (await world.deliveries(endpoint))[0]
    await world.change(
        endpoint, webhook_endpoint.REDELIVERY_REQUESTED, {"delivery_id": failed["delivery_id"]}
    )
    async with world.delivering():
        await eventually(lambda: settled(world, endpoint, "failed", "delivered", "delivered"))
    again = receiver.received[-1]
    assert again.webhook_id == failed["webhook_id"]
    assert again.body == receiver.received[0].body
    again.verify(endpoint.key.shown)


@pytest.mark.parametrize("status", [429, 503])
async def test_an_overloaded_receiver_gets_a_rest(
    world: WebhookWorld, receiver: Receiver, status: int
) -> None:
    is_overloaded = True
    receiver.answer = lambda _: Answering(status, headers={"retry-after": "3600"} if is_overloaded else {})
    endpoint = await world.register(receiver.url)
    async with world.delivering():
        await world.happen(product(0))
        await eventually(lambda: _throttled(world, endpoint))
        seen = len(receiver.received)
        await world.happen(product(0), product(0))
        await eventually(lambda: _queued(world, endpoint, 3))
        row = await world.endpoint_row(endpoint)
        assert row["throttled_until"] > datetime.now(UTC) + timedelta(minutes=50)
        assert len(receiver.received) == seen == 1
        receiver.answer = lambda _: Answering()
        # Its owner says that it works again.
        await world.change(endpoint, webhook_endpoint.ENABLED)
        await eventually(lambda: takes(receiver, 3))


async def _throttled(world: WebhookWorld, endpoint: Registered) -> None:
    row = await world.endpoint_row(endpoint)
    assert row is not None
    assert row["throttled_until"] is not None


async def _queued(world: WebhookWorld, endpoint: Registered, count: int) -> None:
    assert len(await world.deliveries(endpoint)) == count


async def test_gone_disables_and_events_wait_in_the_log(world: WebhookWorld, receiver: Receiver) -> None:
    receiver.answer = lambda _: Answering(410)
    endpoint = await world.register(receiver.url)
    events = product(2)
    async with world.delivering():
        await world.happen(events[:1])
        await eventually(lambda: _disabled(world, endpoint, "410"))
        await world.happen(events[1:])
        receiver.answer = lambda _: Answering()
        await eventually(lambda: _told(world, endpoint))
        assert len(receiver.received) == 1
        await world.change(endpoint, webhook_endpoint.ENABLED)
        await eventually(lambda: takes(receiver, len(events)))
    assert receiver.positions_by_product()[str(events[0].product_id)] == [
        each.log_position for each in events
    ]


async def _disabled(world: WebhookWorld, endpoint: Registered, reason: str) -> None:
    row = await world.endpoint_row(endpoint)
    assert row is not None
    assert row["disabled_at"] is not None
    assert reason in row["disabled_reason"]


async def _told(world: WebhookWorld, endpoint: Registered) -> None:
    assert (await world.endpoint_row(endpoint))["notified_at"] is not None


async def test_long_failure_disables(world: WebhookWorld, receiver: Receiver) -> None:
    receiver.answer = lambda _: Answering(500)
    endpoint = await world.register(receiver.url)
    await world.happen(product(0))
    async with world.delivering(
        webhook_retry_seconds=",".join(["0.05"] * 1000), webhook_disable_after_seconds=0.2
    ):
        await eventually(lambda: _disabled(world, endpoint, "no delivery succeeded since"))


async def test_a_paused_endpoint_and_a_paused_loop_send_nothing(
    world: WebhookWorld, receiver: Receiver
) -> None:
    endpoint = await world.register(receiver.url)
    async with webhook_receiver() as other, world.delivering() as loop:
        await world.register(other.url)
        await world.change(endpoint, webhook_endpoint.PAUSED, is_enabled=False)
        await world.happen(product(0))
        await eventually(lambda: takes(other, 1))
        assert receiver.received == []
        loop.obey(Control(is_paused=True, revision=1))
        await world.change(endpoint, webhook_endpoint.ENABLED, is_enabled=True)
        await eventually(lambda: _is_enabled(world, endpoint))
        assert receiver.received == []
        loop.obey(Control(is_paused=False, revision=2))
        await eventually(lambda: takes(receiver, 1))


async def _is_enabled(world: WebhookWorld, endpoint: Registered) -> None:
    assert (await world.endpoint_row(endpoint))["is_enabled"]


async def test_the_lag_of_the_reading_grows_while_the_log_is_away_and_a_pause_is_no_lag(
    world: WebhookWorld, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = 1000.0

    def tells(seconds: float) -> None:
        assert READ_LAG_SECONDS._value.get() == seconds

    async def away(*_: object) -> Fanned:
        raise Unavailable("event store: away")

    await world.register(receiver.url)
    await world.happen(product())
    async with world.delivering() as loop:
        monkeypatch.setattr(loop, "_read_lag", ReadLag(lambda: clock))
        await eventually(lambda: takes(receiver, 3))
        await eventually(lambda: tells(0))
        with monkeypatch.context() as outage:
            outage.setattr(FanOut, "turn", away)
            clock = 1090.0
            await eventually(lambda: tells(90))
            loop.obey(Control(True, "a test", None))
            await eventually(lambda: tells(0))
            loop.obey(NEVER_PAUSED)
            clock = 1100.0
            await eventually(lambda: tells(10))
        await eventually(lambda: tells(0))


async def test_a_removed_endpoint_gets_nothing_more(world: WebhookWorld, receiver: Receiver) -> None:
    receiver.answer = lambda _: Answering(500)
    endpoint = await world.register(receiver.url)
    await world.happen(product())
    async with world.delivering(webhook_retry_seconds="3600"):
        await eventually(lambda: _has_failed(world, endpoint, 1))
        await world.change(endpoint, webhook_endpoint.DELETED, keys=())
        await eventually(lambda: settled(world, endpoint, *["cancelled"] * 3))
    assert await world.endpoint_row(endpoint) is None
    assert await world.lanes() == 0


async def test_both_keys_sign_while_one_is_rotated(world: WebhookWorld, receiver: Receiver) -> None:
    endpoint = await world.register(receiver.url)
    new = await world.rotate(endpoint, datetime.now(UTC) + timedelta(hours=1))
    await world.happen(product(0))
    async with world.delivering():
        await eventually(lambda: takes(receiver, 1))
        receiver.taken[0].verify(endpoint.key.shown)
        receiver.taken[0].verify(new.shown)
        newest = await world.rotate(endpoint, datetime.now(UTC) - timedelta(hours=1))
        await eventually(lambda: _has_version(world, endpoint))
        await world.happen(product(0))
        await eventually(lambda: takes(receiver, 2))
    receiver.taken[1].verify(newest.shown)
    for old in (endpoint.key, new):
        with pytest.raises(WebhookVerificationError):
            receiver.taken[1].verify(old.shown)


async def _has_version(world: WebhookWorld, endpoint: Registered) -> None:
    assert (await world.endpoint_row(endpoint))["stream_version"] == endpoint.version


async def test_a_test_message_is_sent_and_sent_again(world: WebhookWorld, receiver: Receiver) -> None:
    endpoint = await world.register(receiver.url)
    await world.change(endpoint, webhook_endpoint.TEST_REQUESTED, {"webhook_id": "test-1"})
    async with world.delivering():
        await eventually(lambda: takes(receiver, 1))
        await eventually(lambda: settled(world, endpoint, "delivered"))
        delivery_id = (await world.deliveries(endpoint))[0]["delivery_id"]
        await world.change(endpoint, webhook_endpoint.REDELIVERY_REQUESTED, {"delivery_id": delivery_id})
        await eventually(lambda: takes(receiver, 2))
    assert {each.webhook_id for each in receiver.taken} == {"test-1"}
    message = receiver.taken[0].verify(endpoint.key.shown)
    assert (message["type"], message["data"]) == ("webhook.test", {"endpoint_id": str(endpoint.endpoint_id)})


async def test_redelivery_from_a_position_repeats_all_in_order(
    world: WebhookWorld, receiver: Receiver
) -> None:
    events = product(4)
    endpoint = await world.register(receiver.url)
    await world.happen(events)
    async with world.delivering():
        await eventually(lambda: takes(receiver, 5))
        after = {"after": events[1].log_position}
        await world.change(endpoint, webhook_endpoint.REDELIVERY_REQUESTED, after)
        await eventually(lambda: takes(receiver, 8))
    positions = [event.log_position for event in events]
    assert receiver.positions_by_product()[str(events[0].product_id)] == [*positions, *positions[2:]]
    assert len({each.webhook_id for each in receiver.taken}) == 5


async def test_going_back_cancels_what_waits(world: WebhookWorld, receiver: Receiver) -> None:
    """Else an event would come in the old order and again in the new one."""
    events = product(3)
    receiver.answer = lambda _: Answering(500)
    endpoint = await world.register(receiver.url)
    await world.happen(events)
    async with world.delivering(webhook_retry_seconds="3600"):
        await eventually(lambda: _has_failed(world, endpoint, 1))
        await world.change(endpoint, webhook_endpoint.REDELIVERY_REQUESTED, {"after": 0})
        receiver.answer = lambda _: Answering()
        await eventually(lambda: takes(receiver, 4))
    assert receiver.positions_by_product()[str(events[0].product_id)] == [
        each.log_position for each in events
    ]


async def test_more_than_the_queue_holds_waits_in_the_log(world: WebhookWorld, receiver: Receiver) -> None:
    streams = [product(0) for _ in range(6)]
    receiver.answer = lambda _: Answering(500)
    endpoint = await world.register(receiver.url)
    async with world.delivering(
        webhook_messages_waiting_max=2, webhook_retry_seconds=",".join(["0.05"] * 10_000)
    ):
        for number, stream in enumerate(streams, start=1):
            await world.happen(stream)
            # One stretch of the log at a time: what is queued at once may be more than the limit.
            await eventually(lambda: _queued(world, endpoint, min(number, 2)))  # noqa: B023
        row = await world.endpoint_row(endpoint)
        assert row["log_position"] == streams[1][0].log_position
        receiver.answer = lambda _: Answering()
        await eventually(lambda: takes(receiver, 6))


async def test_processes_share_the_work_and_keep_the_order(world: WebhookWorld, receiver: Receiver) -> None:
    streams = [product(4) for _ in range(20)]
    await world.register(receiver.url)
    async with world.delivering(), world.delivering(), world.delivering():
        for stream in streams:
            await world.happen(stream)
        await eventually(lambda: takes(receiver, 100))
    expected = {str(each[0].product_id): [event.log_position for event in each] for each in streams}
    assert receiver.positions_by_product() == expected


async def test_a_receiver_that_never_answers_holds_up_no_other(
    world: WebhookWorld, receiver: Receiver
) -> None:
    receiver.answer = lambda _: Answering(delay=asyncio.Event())
    slow = await world.register(receiver.url)
    async with webhook_receiver() as other:
        await world.register(other.url)
        await world.happen(*(product(0) for _ in range(30)))
        # On a slow machine an attempt at the other one may take too long as well: it is tried again.
        async with world.delivering(
            webhook_attempts_max=16,
            webhook_attempts_per_endpoint_max=4,
            webhook_attempt_seconds_max=0.5,
            webhook_retry_seconds=",".join(["0.05"] * 10_000),
        ):
            await eventually(lambda: takes_different(other, 30))
            await eventually(lambda: _has_error(world, slow, "no complete answer within 0.5 s"))


async def _has_error(world: WebhookWorld, endpoint: Registered, text: str) -> None:
    attempts = [each for row in await world.deliveries(endpoint) for each in json.loads(row["attempts"])]
    assert any(text in (each["error"] or "") for each in attempts), attempts


async def test_another_log_sends_nothing_of_the_past(world: WebhookWorld, receiver: Receiver) -> None:
    endpoint = await world.register(receiver.url)
    await world.happen(product(0))
    async with world.delivering():
        await eventually(lambda: takes(receiver, 1))
    await world.log.execute("UPDATE catalogue.event_log SET log_id = gen_random_uuid()")
    missed, later = product(0), product(0)
    await world.happen(missed)
    async with world.delivering():
        await eventually(lambda: _is_of(world, missed[-1].log_position))
        await world.happen(later)
        await eventually(lambda: takes(receiver, 2))
    assert receiver.taken[-1].webhook_id == str(later[0].metadata.event_id)
    assert [row["state"] for row in await world.deliveries(endpoint)] == ["delivered", "delivered"]


async def _is_of(world: WebhookWorld, log_position: int) -> None:
    log_id = await world.log.fetchval("SELECT log_id FROM catalogue.event_log")
    place = await world.read_model.fetchrow("SELECT * FROM views.webhook_place")
    assert place is not None
    assert UUID(int=place["log_id"].int) == UUID(int=log_id.int)
    rows = await world.read_model.fetch("SELECT log_position FROM views.webhook_endpoint")
    assert [row["log_position"] for row in rows] == [log_position]
