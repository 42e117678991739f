"""Digests as they run: an import or a burst is one mail a recipient, and nothing is told twice or lost.

Windows are an hour long here, so that nothing is due by itself; `due` brings the end of the window.
"""

import signal
from collections.abc import AsyncIterator, Sequence

import pytest
import pytest_asyncio
from msgspec.structs import replace

from deploy.local.ports import free_port
from projector.operators.status import read_status
from shared.contract import events as e
from shared.contract.recorded_event import RecordedEvent
from shared.kafka.cloud_event import record_headers
from shared.ops.secret import Secret
from tests.counters import counted
from tests.eventually import eventually
from tests.integration.projector_commands import command, dead_letters
from tests.integration.projector_process import projector_process
from tests.integration.projector_world import World, product_id_in, world
from tests.mail_server import MailServer, Received, mail_server
from tests.unit.projector.histories import created, history, new_product_id, priced

__all__ = ["world"]
pytestmark = pytest.mark.servers
MAILS = "notifications"
ANN, BOB = "ann@x.test", "bob@x.test"
SINGLE_MAILS_MAX = 3


@pytest_asyncio.fixture
async def mails(world: World) -> AsyncIterator[MailServer]:
    """A mail server, and a projector that is told of it; `world.settings` is changed."""
    async with mail_server() as server:
        world.settings = world.settings.model_copy(
            update={
                "smtp_url": Secret(server.url),
                "notification_recipients": f"{ANN},{BOB}",
                "notification_retry_delays": "100ms,200ms",
                "notification_single_mails_max": SINGLE_MAILS_MAX,
                "notification_digest_seconds": 3600.0,
                "read_url": "http://read.test",
                "session_timeout_seconds": 2.0,
            }
        )
        yield server


def marked(events: Sequence[RecordedEvent], import_id: str = "spring") -> list[RecordedEvent]:
    return [replace(one, metadata=replace(one.metadata, import_id=import_id)) for one in events]


def new(name: str, *more: e.ProductEvent, first_position: int = 1) -> list[RecordedEvent]:
    return history(new_product_id(), created(name), *more, first_position=first_position)


def many(count: int, prefix: str = "Shirt", first_position: int = 1) -> list[RecordedEvent]:
    return [new(f"{prefix} {n}", first_position=first_position + n)[0] for n in range(count)]


async def gathered(world: World, events: int, *, recipients: int = 2) -> None:
    """So many events wait for the next digest, of each recipient."""
    waiting = await world.views.fetchval(
        "SELECT count(*) FROM views.notification JOIN views.notification_gathering USING (gathering_id)"
        " WHERE digest_id IS NULL"
    )
    assert waiting == events * recipients


async def due(world: World) -> None:
    """The window is over."""
    await world.views.execute("UPDATE views.notification_pace SET digest_not_before = 'epoch'")
    await world.views.execute(
        "UPDATE views.notification_gathering SET due_at = 'epoch' WHERE digest_id IS NULL"
    )


async def digests(world: World, *states: str) -> None:
    rows = await world.views.fetch("SELECT state FROM views.notification_digest ORDER BY digest_number")
    assert [row["state"] for row in rows] == list(states)


async def parked(world: World, *error_classes: str) -> None:
    rows = await world.views.fetch("SELECT error_class FROM views.parked_event ORDER BY parked_event_id")
    assert [row["error_class"] for row in rows] == list(error_classes)


def counts(mails: MailServer) -> list[tuple[str, int]]:
    """Of each digest that was taken: to whom, and of how many events."""
    found = [(one.recipient, one.message["X-Catalogue-Event-Count"]) for one in mails.taken]
    return sorted((recipient, int(count)) for recipient, count in found if count is not None)


def singles(mails: MailServer, recipient: str = ANN) -> list[str]:
    """The subjects of the single mails to one of them."""
    return sorted(
        one.subject
        for one in mails.taken
        if one.recipient == recipient and one.message["X-Catalogue-Event-Id"] is not None
    )


def digest_to(mails: MailServer, recipient: str) -> Received:
    (found,) = [
        one for one in mails.taken
        if one.recipient == recipient and one.message["X-Catalogue-Digest-Id"] is not None
    ]  # fmt: skip
    return found


def gathered_events() -> float:
    return counted("projector_events_total", projection=MAILS, result="gathered", type="product-created")


async def test_an_import_is_one_mail_a_recipient_with_counts_and_the_first_names(
    world: World, mails: MailServer
) -> None:
    events = many(30)
    events += new("Old", e.ProductPublished(), e.ProductArchived(), first_position=31)
    events += new("Cheap", priced("0.50"), priced("0.40"), first_position=34)
    async with world.projecting(MAILS):
        await world.happen(marked(events))
        await eventually(lambda: gathered(world, 35))
        assert mails.connections == 0
        await due(world)
        await eventually(lambda: digests(world, "sent", "sent"))
    assert counts(mails) == [(ANN, 35), (BOB, 35)]
    mail = digest_to(mails, ANN)
    assert mail.subject == "Catalogue changes: 31 new products, 1 archived new product"
    lines = mail.text.splitlines()
    assert lines[:5] == [
        "35 changes of 32 products, told in one mail.", "Import: spring", "", "New products: 31",
        f"  Shirt 0  http://read.test/v1/products/{events[0].product_id}",
    ]  # fmt: skip
    assert "  and 21 more" in lines
    assert lines[-2:] == [
        "New products that are already archived: 1",
        f"  Old  http://read.test/v1/products/{events[30].product_id}",
    ]


async def test_single_changes_during_an_import_are_single_mails_at_once(
    world: World, mails: MailServer
) -> None:
    async with world.projecting(MAILS):
        await world.happen([*marked(many(20)), *new("Single", first_position=21)])

        async def told() -> None:
            assert (singles(mails), singles(mails, BOB)) == (["New product: Single"], ["New product: Single"])

        await eventually(told)
        await eventually(lambda: gathered(world, 20))
    assert len(mails.taken) == 2


async def test_a_burst_is_a_few_single_mails_and_one_digest_a_window_until_it_is_over(
    world: World, mails: MailServer
) -> None:
    async with world.projecting(MAILS):
        await world.happen(many(10))
        await eventually(lambda: gathered(world, 7))
        await due(world)
        await eventually(lambda: digests(world, "sent", "sent"))

        async def told() -> None:
            assert [len(singles(mails, one)) for one in (ANN, BOB)] == [SINGLE_MAILS_MAX] * 2

        await eventually(told)
        await world.happen(many(SINGLE_MAILS_MAX + 1, "More", first_position=11))
        await eventually(lambda: gathered(world, 4))
        await due(world)
        await eventually(lambda: digests(world, *["sent"] * 4))
        await world.views.execute("UPDATE views.notification_pace SET window_ends_at = 'epoch'")
        await world.happen(new("After", first_position=15))

        async def is_single_again() -> None:
            assert "New product: After" in singles(mails)
            assert "New product: After" in singles(mails, BOB)

        await eventually(is_single_again)
    assert counts(mails) == [(ANN, 4), (ANN, 7), (BOB, 4), (BOB, 7)]


async def test_replays_and_duplicates_are_told_nowhere(world: World, mails: MailServer) -> None:
    # Of two partitions: the replay is published first, and a partition has its events in the log's order.
    events = marked(
        [history(product_id_in(3), created(f"Shirt {n}"), first_position=n)[0] for n in range(1, 6)]
    )
    (replayed,) = marked(history(product_id_in(4), created("Replayed"), first_position=6))
    async with world.projecting(MAILS):
        await world.append([*events, replayed])
        log_id = str(world.log_id).encode()
        headers = record_headers(replayed, log_id, is_replay=True)
        await world.publish_raw(str(replayed.product_id).encode(), replayed.data, headers)
        await world.publish([*events, *events])
        await world.happen(marked(new("Last", first_position=7)))
        await eventually(lambda: gathered(world, 6))
        await due(world)
        await eventually(lambda: digests(world, "sent", "sent"))
        await world.publish(events)
        await world.happen(marked(new("Behind", first_position=8)))
        await eventually(lambda: gathered(world, 1))
    assert counts(mails) == [(ANN, 6), (BOB, 6)]


async def test_what_waits_for_a_digest_is_no_lag_and_stands_in_a_metric(
    world: World, mails: MailServer
) -> None:
    events = marked(
        [history(product_id_in(3), created(f"Shirt {n}"), first_position=n)[0] for n in (1, 2, 3)]
    )
    async with world.projecting(MAILS):
        before = gathered_events()
        await world.happen(events)
        await eventually(lambda: gathered(world, 3))

        async def shows() -> None:
            metrics = (await world.ops("/metrics")).text
            assert "notifications_waiting 6.0" in metrics
            assert "notifications_waiting_oldest_seconds 0.0\n" not in metrics
            assert gathered_events() == before + 3
            of = {one.partition: one for one in (await read_status(world.settings)).partitions}
            assert (of[3].next_offset, of[3].lag_events) == (3, 0)

        await eventually(shows)
        await due(world)

        async def is_sent() -> None:
            metrics = (await world.ops("/metrics")).text
            assert "notifications_waiting 0.0" in metrics
            assert 'notifications_total{kind="digest",outcome="sent"} ' in metrics

        await eventually(is_sent)


async def test_an_event_that_cannot_be_read_and_one_that_never_happened_are_in_no_digest(
    world: World, mails: MailServer
) -> None:
    spoilt = marked(new("Spoilt"))[0]
    product_id = product_id_in(4)
    forged = marked(history(product_id, created(), priced("0.50"), first_position=2))[1]
    sound = marked(
        [history(product_id_in(5), created(f"Shirt {n}"), first_position=n)[0] for n in (10, 11, 12)]
    )
    async with world.projecting(MAILS):
        await world.append(sound)
        headers = record_headers(spoilt, str(world.log_id).encode())
        await world.publish_raw(str(spoilt.product_id).encode(), b"{", headers)
        await world.publish([forged, *sound])
        await eventually(lambda: parked(world, "undecodable"))

        async def is_stopped() -> None:
            check = (await world.ops("/readyz")).json()["checks"][MAILS]
            assert "partition 4 stopped: the log lacks version 2" in check

        await eventually(is_stopped)
        await eventually(lambda: gathered(world, 3))
    rows = await world.views.fetch("SELECT DISTINCT product_id::text FROM views.notification")
    assert {row["product_id"] for row in rows} == {str(one.product_id) for one in sound}


@pytest.mark.parametrize("fault", ["kill-before-plan:1", "kill-before-offsets:1"])
async def test_a_projector_killed_around_its_planning_tells_everything_once(
    world: World, mails: MailServer, fault: str
) -> None:
    async with world.projecting(MAILS):
        pass  # the group begins here, not after the kill
    events = [*marked(many(20)), *many(5, "Single", first_position=21)]
    async with projector_process(world.settings, MAILS, fault=fault) as killed:
        await world.happen(events)
        assert await killed.has_ended() == -signal.SIGKILL
    async with world.projecting(MAILS, notification_digest_seconds=3600.0):

        async def all_is_planned() -> None:
            rows = await world.views.fetchval("SELECT count(*) FROM views.notification")
            assert rows == 25 * 2
            left = "SELECT count(*) FROM views.notification WHERE state IN ('planned', 'claimed')"
            assert await world.views.fetchval(left) == 0

        await eventually(all_is_planned)
        await due(world)
        await eventually(lambda: digests(world, "sent", "sent"))
    assert counts(mails) == [(ANN, 22), (BOB, 22)]
    assert len(singles(mails)) == len(set(singles(mails))) == SINGLE_MAILS_MAX


@pytest.mark.parametrize(
    ("fault", "taken"),
    [("kill-before-digest-contents:1", 0), ("kill-before-send:1", 0), ("kill-before-digest-settle:1", 1)],
)
async def test_a_projector_killed_between_claim_and_settlement_leaves_the_digest_to_a_person(
    world: World, mails: MailServer, fault: str, taken: int
) -> None:
    world.settings = world.settings.model_copy(update={"notification_recipients": ANN})
    async with world.projecting(MAILS):
        await world.happen(marked(many(5)))
        await eventually(lambda: gathered(world, 5, recipients=1))
    await due(world)
    async with projector_process(world.settings, MAILS, fault=fault) as killed:
        assert await killed.has_ended() == -signal.SIGKILL
    await digests(world, "claimed")
    # Whoever claimed it may still be at it for so long.
    await world.views.execute("UPDATE views.notification_digest SET claimed_at = 'epoch'")
    async with world.projecting(MAILS):
        await eventually(lambda: parked(world, "mail-outcome-unknown"))
    await digests(world, "unknown")
    assert len(mails.taken) == taken


async def test_a_digest_whose_projector_is_killed_before_it_is_noted_as_a_dead_letter_is_one_dead_letter(
    world: World, mails: MailServer
) -> None:
    world.settings = world.settings.model_copy(update={"notification_recipients": ANN})
    mails.behave("RCPT:550 nobody")
    async with world.projecting(MAILS):
        await world.happen(marked(many(5)))
        await eventually(lambda: gathered(world, 5, recipients=1))
    await due(world)
    async with projector_process(world.settings, MAILS, fault="kill-before-digest-marked:1") as killed:
        assert await killed.has_ended() == -signal.SIGKILL
    await parked(world, "mail-refused")
    async with world.projecting(MAILS):

        async def is_noted() -> None:
            sql = "SELECT count(*) FROM views.notification_digest WHERE parked_at IS NOT NULL"
            assert await world.views.fetchval(sql) == 1

        await eventually(is_noted)
    await parked(world, "mail-refused")


async def test_several_projectors_send_one_digest(world: World, mails: MailServer) -> None:
    other = World(
        world.settings.model_copy(update={"projector_ops_port": free_port()}),
        world.store, world.views, world.redis, world.producer, world.log_id, world.owner_dsns,
    )  # fmt: skip
    async with world.projecting(MAILS), other.projecting(MAILS):
        await world.happen([*marked(many(60)), *many(20, "Single", first_position=61)])
        await eventually(lambda: gathered(world, 77))
        await due(world)
        await eventually(lambda: digests(world, "sent", "sent"))

        async def nobody_is_about_to_send() -> None:
            left = "SELECT count(*) FROM views.notification WHERE state IN ('planned', 'claimed')"
            assert await world.views.fetchval(left) == 0

        await eventually(nobody_is_about_to_send)
    assert counts(mails) == [(ANN, 77), (BOB, 77)]
    assert [len(singles(mails, one)) for one in (ANN, BOB)] == [SINGLE_MAILS_MAX] * 2


async def test_a_digest_that_may_have_been_sent_is_sent_again_only_by_a_person_who_says_so(
    world: World, mails: MailServer
) -> None:
    mails.then("end:drop")
    async with world.projecting(MAILS, notification_recipients=ANN):
        await world.happen(marked(many(5)))
        await eventually(lambda: gathered(world, 5, recipients=1))
        await due(world)
        await eventually(lambda: parked(world, "mail-outcome-unknown"))
    (dead_letter,) = await dead_letters(world, "--projection", MAILS)
    assert (dead_letter["topic"], dead_letter["partition"]) == ("digests", -1)
    shown = await command(
        world, "dead-letters", "show", "--projection", MAILS, "--id", str(dead_letter["letter_id"]), "--json"
    )
    assert f'\\"recipient\\":\\"{ANN}\\",\\"events\\":5' in shown
    choice = ("dead-letters", "retry", "--projection", MAILS, "--class", "mail-outcome-unknown")
    assert "--resend-unknown" in await command(world, *choice, "--json", code=3)
    assert len(mails.taken) == 1
    await command(world, *choice, "--resend-unknown", "--reason", "it never came")
    first, second = mails.taken
    assert (first.raw == second.raw, first.message["Message-ID"]) == (True, second.message["Message-ID"])
    assert await dead_letters(world) == []


async def test_a_digest_that_is_given_up_is_never_sent_and_its_events_are_never_told(
    world: World, mails: MailServer
) -> None:
    events = marked(many(5))
    mails.then("RCPT:550 nobody")
    async with world.projecting(MAILS, notification_recipients=ANN):
        await world.happen(events)
        await eventually(lambda: gathered(world, 5, recipients=1))
        await due(world)
        await eventually(lambda: parked(world, "mail-refused"))
        choice = ("dead-letters", "discard", "--projection", MAILS, "--all", "--reason", "they have left")
        assert "discarded" in await command(world, *choice)
        await world.publish(events)
        await world.happen(marked(new("Behind", first_position=6)))
        await eventually(lambda: gathered(world, 1, recipients=1))
        await due(world)
        await eventually(lambda: digests(world, "discarded", "sent"))
    assert counts(mails) == [(ANN, 1)]
    assert await dead_letters(world) == []


async def test_a_paused_projection_sends_no_digest_until_it_is_resumed(
    world: World, mails: MailServer
) -> None:
    async with world.projecting(MAILS, notification_recipients=ANN):
        await world.happen(marked(many(5)))
        await eventually(lambda: gathered(world, 5, recipients=1))
        await command(world, "pause", MAILS, "--reason", "quiet")

        async def is_paused() -> None:
            assert 'projection_paused{projection="notifications"} 1.0' in (await world.ops("/metrics")).text

        await eventually(is_paused)
        await _a_turn_ends(world)  # it may have begun before the pause
        await due(world)
        await _a_turn_ends(world)
        await _a_turn_ends(world)
        await gathered(world, 5, recipients=1)
        await command(world, "resume", MAILS)
        await eventually(lambda: digests(world, "sent"))
    assert counts(mails) == [(ANN, 5)]


async def _a_turn_ends(world: World) -> None:
    """Of the loop, which measures the age of what waits anew in each turn."""

    async def age_seconds() -> float:
        lines = (await world.ops("/metrics")).text.splitlines()
        (line,) = [one for one in lines if one.startswith("notifications_waiting_oldest_seconds ")]
        return float(line.split()[1])

    before = await age_seconds()

    async def has_grown() -> None:
        assert await age_seconds() > before

    await eventually(has_grown)
