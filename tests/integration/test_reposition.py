"""`python -m projector reposition` on real servers, after the topic has been lost."""

from collections.abc import AsyncIterator, Sequence
from typing import Any
from uuid import uuid4

import pytest
import pytest_asyncio

from projector.errors import Unavailable
from projector.reposition.ports import Places
from projector.reposition.view import ViewSubject
from shared.contract.recorded_event import RecordedEvent
from shared.ops.secret import Secret
from tests.eventually import eventually
from tests.integration.projector_commands import command, command_json, poison
from tests.integration.projector_world import World, product_id_in, world
from tests.mail_server import MailServer, mail_server
from tests.unit.projector.histories import created, history, priced

__all__ = ["world"]
pytestmark = pytest.mark.servers
WHY = ("--reason", "Kafka is lost", "--actor", "anna")
VIEWS = ("product_view", "category_view", "inventory", "analytics", "product_cache", "products_state")


async def _states(world: World) -> dict[str, str]:
    status = await command_json(world, "status")
    return {one["projection"]: one["state"] for one in status["projections"]}


async def _all_run(world: World, *names: str) -> None:
    states = await _states(world)
    assert {states[name] for name in names} == {"running"}, states


async def _lose_the_topic(world: World, lost: list[RecordedEvent]) -> None:
    """These events were written, and nobody got them: the broker was lost with them."""
    await world.append(lost)
    await world.remake_topic()


async def test_a_projection_whose_topic_is_lost_gets_what_was_never_delivered_and_goes_on(
    world: World,
) -> None:
    stream = history(product_id_in(3), created(), priced("2.00"), priced("3.00"))
    other = history(product_id_in(5), created())
    newest = other[0].log_position
    async with world.projecting(*VIEWS):
        await world.happen(stream[:2])
        await eventually(lambda: world.table_shows(stream[0].product_id, 2))
        await eventually(lambda: world.cache_shows(stream[0].product_id, 2))
        await eventually(lambda: _all_run(world, *VIEWS))
    await _lose_the_topic(world, [stream[2], *other])
    async with world.projecting(*VIEWS, wait=False):
        reason = await eventually(lambda: world.stopped("product_view"))
        assert "python -m projector reposition product_view" in reason
        said = await command(world, "reposition", "--all", *WHY)
        assert f"product_view: 2 events applied from the log; at the ends, position {newest}" in said
        await eventually(lambda: _all_run(world, *VIEWS))
        for product_id, version in ((stream[0].product_id, 3), (other[0].product_id, 1)):
            await world.table_shows(product_id, version)
            await world.cache_shows(product_id, version)
        later = history(product_id_in(3), created())
        await world.happen(later)
        await eventually(lambda: world.table_shows(later[0].product_id, 1))
        await eventually(lambda: world.cache_shows(later[0].product_id, 1))
    done = await command_json(world, "audit", "--projection", "analytics")
    assert [(one["actor"], one["action"], one["reason"]) for one in done["items"]] == [
        ("anna", "reposition", "Kafka is lost")
    ]


async def test_a_topic_that_was_filled_again_beyond_the_checkpoint_is_not_taken_for_the_old_one(
    world: World,
) -> None:
    """The offset of the checkpoint is there again, and it is of a later record: three events lie between."""
    stream = history(product_id_in(3), *([created()] + [priced(f"{number}.00") for number in range(2, 8)]))
    async with world.projecting("product_view"):
        await world.happen(stream[:2])
        # The second record came twice, as after a crash of the relay: the checkpoint is at offset 3.
        await world.publish(stream[1:2])
        await eventually(lambda: world.table_shows(stream[0].product_id, 2))
        await eventually(lambda: _all_run(world, "product_view"))
    await _lose_the_topic(world, stream[2:])
    await world.publish(stream[:5])
    async with world.projecting("product_view", wait=False):
        assert "reposition product_view" in await eventually(lambda: world.stopped("product_view"))
        await world.table_shows(stream[0].product_id, 2)
        await command(world, "reposition", "product_view", *WHY)
        await eventually(lambda: world.table_shows(stream[0].product_id, 7))
        await eventually(lambda: _all_run(world, "product_view"))


async def test_a_topic_that_is_emptied_under_a_running_projection_stops_it(world: World) -> None:
    stream = history(product_id_in(3), created(), priced("2.00"))
    async with world.projecting("product_view", "product_cache"):
        await world.happen(stream)
        await eventually(lambda: world.table_shows(stream[0].product_id, 2))
        await world.remake_topic()
        assert "reposition product_view" in await eventually(lambda: world.stopped("product_view"), 60)
        await command(world, "reposition", "--all", *WHY)
        await eventually(lambda: _all_run(world, "product_view", "product_cache"), 60)


async def test_parked_products_stay_parked_and_new_dead_letters_find_no_old_ones_at_their_offsets(
    world: World,
) -> None:
    stream = history(product_id_in(3), created(), priced("2.00"), priced("3.00"), priced("4.00"))
    fine, later = history(product_id_in(3), created()), history(product_id_in(3), created(), priced("2.00"))
    async with world.projecting("product_view"):
        await world.append(stream[:2])
        await world.publish(stream[:1])
        await poison(world, stream[1])
        await eventually(lambda: _are_parked(world, stream[1:2]))
    await _lose_the_topic(world, [*stream[2:], *fine])
    async with world.projecting("product_view", wait=False):
        await eventually(lambda: world.stopped("product_view"))
        await command(world, "reposition", "product_view", *WHY)
        await command(world, "reposition", "product_view", *WHY)
        await eventually(lambda: _all_run(world, "product_view"))
        await world.table_shows(fine[0].product_id, 1)
        await world.table_shows(stream[0].product_id, 1)
        await _are_parked(world, stream[1:])
        # Their offsets are 0 and 1: one of the old topic had a dead letter at 1.
        await world.append(later)
        await world.publish(later[:1])
        await poison(world, later[1])
        await eventually(lambda: _are_parked(world, [*stream[1:], later[1]]))
        retry = ("dead-letters", "retry", "--projection", "product_view", "--all", "--from-log")
        await command(world, *retry, *WHY)
        await world.table_shows(stream[0].product_id, 4)
        await world.table_shows(later[0].product_id, 2)


async def _are_parked(world: World, events: Sequence[RecordedEvent]) -> None:
    rows = await world.views.fetch(
        "SELECT log_position FROM views.parked_event WHERE projection = 'product_view' ORDER BY 1"
    )
    assert [row[0] for row in rows] == [one.log_position for one in events]


async def test_a_command_that_is_stopped_between_stretches_or_before_its_end_is_run_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("projector.reposition.reposition.EVENTS_PER_STRETCH_MAX", 3)
    streams = [history(product_id_in(number), created(), priced("2.00")) for number in (3, 5, 7, 3, 1)]
    events = [one for stream in streams for one in stream]
    await _lose_the_topic(world, events)
    apply, place = ViewSubject.apply, ViewSubject.place
    applied: list[int] = []

    async def counting(self: ViewSubject, some: Sequence[RecordedEvent]) -> None:
        if len(applied) == 4:
            raise Unavailable("the machine is gone")
        await apply(self, some)
        applied.extend(one.log_position for one in some[:2])

    async def gone(_: ViewSubject, places: Places, *more: Any) -> None:
        raise Unavailable("the machine is gone")

    with monkeypatch.context() as faults:
        faults.setattr(ViewSubject, "apply", counting)
        assert "the machine is gone" in await command(world, "reposition", "product_view", *WHY, code=1)
    with monkeypatch.context() as faults:
        faults.setattr(ViewSubject, "place", gone)
        assert "the machine is gone" in await command(world, "reposition", "product_view", *WHY, code=1)
    assert place is ViewSubject.place
    (done,) = await command_json(world, "reposition", "product_view", *WHY)
    assert (done["events"], done["newest_position"]) == (0, events[-1].log_position)
    for stream in streams:
        await world.table_shows(stream[0].product_id, 2)
    (planned,) = await command_json(world, "reposition", "product_view", "--dry-run", *WHY)
    assert planned["after_position"] == events[-1].log_position


async def test_a_view_of_another_log_is_refused_and_rebuild_makes_it_one_of_this_log(world: World) -> None:
    kept, lost = history(product_id_in(3), created()), history(product_id_in(3), created())
    async with world.projecting("product_view", "inventory"):
        await world.happen([*kept, *lost])
        await eventually(lambda: world.table_shows(lost[0].product_id, 1))
        await poison(world, history(product_id_in(5), created())[0])
        await eventually(lambda: _all_run(world, "product_view", "inventory"))
    # The log was restored to the time before `lost`, and got another id.
    world.log_id = uuid4()
    await world.store.execute("UPDATE catalogue.event_log SET log_id = $1", world.log_id)
    await world.store.execute("DELETE FROM catalogue.events WHERE position = $1", lost[0].log_position)
    await world.store.execute("DELETE FROM catalogue.streams WHERE product_id = $1", lost[0].product_id)
    said = await command(world, "reposition", "product_view", *WHY, code=1)
    assert "remake-topics --delete" in said
    await world.remake_topic()
    await world.publish(kept)
    said = await command(world, "reposition", "product_view", *WHY, code=1)
    assert "python -m projector rebuild product_view" in said
    async with world.projecting("product_view", "inventory", wait=False):
        await eventually(lambda: world.stopped("product_view"))
        said = await command(world, "rebuild", "--all", "--without-comparison", *WHY)
        assert "analytics: 0 events applied from the log; at the ends" in said
        await eventually(lambda: _all_run(world, "product_view", "inventory"))
        assert await world.row(lost[0].product_id) is None
        await _are_parked(world, [])
        again = history(product_id_in(3), created())
        await world.happen(again)
        await eventually(lambda: world.table_shows(again[0].product_id, 1))


@pytest_asyncio.fixture
async def mails(world: World) -> AsyncIterator[MailServer]:
    """A mail server, and a projector that is told of it; `world.settings` is changed."""
    async with mail_server() as server:
        world.settings = world.settings.model_copy(
            update={
                "smtp_url": Secret(server.url),
                "notification_recipients": "ann@x.test",
                "notification_single_mails_max": 1000,
                "read_url": "http://read.test",
                "session_timeout_seconds": 2.0,
            }
        )
        yield server


async def _was_told(mails: MailServer, *names: str) -> None:
    assert sorted(mails.subjects()) == sorted(f"New product: {name}" for name in names)


async def test_mails_that_were_not_delivered_are_sent_once_and_old_events_send_none(
    world: World, mails: MailServer
) -> None:
    old, told, lost, later = (
        history(product_id_in(partition), created(name))
        for partition, name in ((4, "Old"), (3, "Told"), (3, "Lost"), (3, "Later"))
    )
    await world.happen(old)
    async with world.projecting("notifications"):
        await world.happen(told)
        await eventually(lambda: _was_told(mails, "Told"))
        await eventually(lambda: _reported(world, told[0].log_position))
    await _lose_the_topic(world, lost)
    async with world.projecting("notifications", wait=False):
        reason = await eventually(lambda: world.stopped("notifications"))
        assert "python -m projector reposition notifications" in reason
        await command(world, "reposition", "notifications", *WHY)
        await eventually(lambda: _was_told(mails, "Told", "Lost"))
        await command(world, "reposition", "notifications", *WHY)
        # As after `remake-topics`: the whole log comes again.
        await eventually(lambda: _all_run(world, "notifications"))
        await world.publish([*old, *told, *lost])
        await world.happen(later)
        await eventually(lambda: _was_told(mails, "Told", "Lost", "Later"))


async def _reported(world: World, position: int) -> None:
    assert position == await world.views.fetchval(
        "SELECT max(log_position) FROM views.projection_lag WHERE projection = 'notifications'"
    )
