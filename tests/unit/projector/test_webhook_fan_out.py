"""Which endpoints get which events, what is read and stored for that, and where each of them goes on."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, cast
from uuid import UUID, uuid4

from msgspec.structs import replace

from projector.webhooks.fan_out import FanOut
from projector.webhooks.ports import Endpoint, EndpointLog, Message, Queue
from projector.webhooks.read_lag import ReadLag
from shared.contract.recorded_event import RecordedEvent
from shared.webhooks.endpoint import EndpointDocument
from tests.past_events import created, past_events, priced

LOG_ID = UUID(int=5)
PRICES = ("product-price-changed",)


class _Log:
    """The next events, two at a time; `reads` are the places that were asked for."""

    def __init__(self) -> None:
        self.events: list[RecordedEvent] = []
        self.reads: list[int] = []

    async def next_events(self, after: int) -> Sequence[RecordedEvent]:
        self.reads.append(after)
        return [each for each in self.events if each.log_position > after][:2]


class _Queue:
    """`stored` is the place of each endpoint, `queued` the positions of its messages."""

    def __init__(self) -> None:
        self.stored: dict[UUID, int] = {}
        self.queued: dict[UUID, list[int | None]] = {}
        self.waiting = 0

    async def waiting_messages(self, endpoint_id: UUID, messages_max: int) -> int:
        return min(self.waiting, messages_max)

    async def add(self, endpoint: Endpoint, messages: Sequence[Message], log_position: int) -> bool:
        if self.stored.setdefault(endpoint.endpoint_id, endpoint.log_position) != endpoint.log_position:
            return False
        self.stored[endpoint.endpoint_id] = log_position
        its = self.queued.setdefault(endpoint.endpoint_id, [])
        its.extend(each.log_position for each in messages)
        return True


class _World:
    def __init__(self) -> None:
        self.log, self.queue, self.now = _Log(), _Queue(), 0.0
        self.log.events = past_events(created(), *(priced(f"{number}.00") for number in range(1, 6)))
        self.before = self.log.events[0].log_position - 1
        self.fan_out = FanOut(
            cast(EndpointLog, self.log),
            cast(Queue, self.queue),
            messages_waiting_max=3,
            clock=lambda: self.now,
        )

    def endpoint(self, **fields: Any) -> Endpoint:
        now = datetime.now(UTC)
        usual = {"types": None, "product_ids": None, "is_enabled": True, "keys": (), "public_key": None}
        document = EndpointDocument(
            url="https://a.example/", description="", signature="hmac", created_at=now, updated_at=now,
            **{**usual, **fields},
        )  # fmt: skip
        return Endpoint(uuid4(), 1, document, self.before)

    async def turns(self, *endpoints: Endpoint, count: int = 1) -> list[Endpoint]:
        moved = list(endpoints)
        for _ in range(count):
            moved = list((await self.fan_out.turn(moved, LOG_ID)).endpoints)
        return moved

    def positions(self, start: int = 0, end: int | None = None) -> list[int]:
        return [each.log_position for each in self.log.events[start:end]]


async def test_each_endpoint_gets_what_it_wants_and_they_share_reads() -> None:
    world = _World()
    everything, prices = world.endpoint(), world.endpoint(types=PRICES)
    await world.turns(everything, prices, count=3)
    assert world.queue.queued[everything.endpoint_id] == world.positions()
    assert world.queue.queued[prices.endpoint_id] == world.positions(1)
    assert world.log.reads == [world.before, *world.positions()[1:5:2]]


async def test_an_endpoint_without_room_stays_and_others_go_on() -> None:
    world = _World()
    everything, nothing = world.endpoint(), world.endpoint(types=())
    world.queue.waiting = 3
    full, other = await world.turns(everything, nothing, count=2)
    assert full.log_position == world.before
    world.queue.waiting = 2
    await world.turns(full, other, count=3)
    assert world.queue.queued[everything.endpoint_id] == world.positions()


async def test_a_place_that_moves_over_unwanted_events_is_stored_now_and_then() -> None:
    world = _World()
    (moved,) = await world.turns(world.endpoint(types=()), count=2)
    assert (moved.log_position, world.queue.stored) == (world.before, {})
    world.now = 5.0
    (moved,) = await world.turns(moved)
    assert moved.log_position == world.positions()[-1]
    assert world.queue.stored == {moved.endpoint_id: moved.log_position}
    assert world.log.reads == [world.before, *world.positions()[1:5:2]]


async def test_what_was_looked_at_is_looked_at_again_where_another_process_has_moved_the_place() -> None:
    world = _World()
    endpoint = world.endpoint(types=())
    await world.turns(endpoint, count=2)
    back = endpoint._replace(log_position=world.positions()[0])
    await world.turns(back)
    assert world.log.reads[-1] == back.log_position


async def test_it_tells_up_to_when_all_events_were_read() -> None:
    world = _World()
    at = datetime(2026, 12, 1, tzinfo=UTC)
    world.log.events = [
        replace(each, recorded_at=at + timedelta(seconds=number))
        for number, each in enumerate(world.log.events)
    ]
    endpoint = world.endpoint()
    until = []
    for _ in range(4):
        (endpoint,), _, read_until = await world.fan_out.turn([endpoint], LOG_ID)
        until.append(read_until)
    assert until == [at.timestamp() + 1, at.timestamp() + 3, at.timestamp() + 5, None]


async def test_a_full_queue_is_no_lag_of_the_reading_and_another_process_is_no_progress() -> None:
    world = _World()
    endpoint = world.endpoint()
    world.queue.waiting = 3
    assert (await world.fan_out.turn([endpoint], LOG_ID)).read_until is None
    world.queue.waiting = 0
    world.queue.stored[endpoint.endpoint_id] = world.before + 1
    read_until = (await world.fan_out.turn([endpoint], LOG_ID)).read_until
    assert read_until == world.log.events[0].recorded_at.timestamp()


def test_the_lag_grows_until_progress_is_told() -> None:
    now = 100.0
    lag = ReadLag(lambda: now)
    now = 130.0
    assert lag.seconds() == 30.0
    lag.read(125.0)
    assert lag.seconds() == 5.0
    lag.read(131.0)
    assert lag.seconds() == 0.0
