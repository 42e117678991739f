"""Digests from event to mail: an import or a burst is one mail a recipient, nothing is lost or told twice."""

import random
from collections.abc import Sequence
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from projector.applying.dead_letters import Action, DeadLetter
from projector.applying.parking_breaker import ParkingBreaker
from projector.control.ports import Control
from projector.errors import Unavailable
from projector.kafka.records import read_one
from projector.notifications.digest_loop import DIGEST_DEAD_LETTERS, DigestLoop, LoopTools
from projector.notifications.gather import Gatherer
from projector.notifications.notify import Done, Notifier
from projector.notifications.pace import PaceLimits
from projector.notifications.ports import Delivery, Mail
from projector.notifications.retry import NotificationRetries
from projector.notifications.send_digest import DigestSender
from projector.parking.retry import Released
from shared.contract import events as e
from shared.contract.recorded_event import RecordedEvent
from shared.ops.retry import RetryPolicy
from tests.in_memory.mailer import TAKEN, InMemoryMailer
from tests.in_memory.read_model import InMemoryReadModel
from tests.in_memory.rows import KeptRecord
from tests.unit.projector.histories import created, history, new_product_id, priced
from tests.unit.projector.in_memory_mails import InMemoryMailStores
from tests.unit.projector.in_memory_stores import WrittenInMemoryLog
from tests.unit.projector.records import broken

ANN, BOB = "ann@x.test", "bob@x.test"
MAILS = "notifications"
ACTION = Action("ann", "retry", "mended")
LIMITS = PaceLimits(3, 3600.0)
PATIENCE = RetryPolicy("test-digests", 0.001, 0.005, budget_seconds=0.02)
RETRY_SECONDS = (10.0, 20.0)
LATER, NOBODY = Delivery("not-sent", "450 later"), Delivery("refused", "550 nobody")
SILENT = Delivery("unknown", "the connection was lost")


class World:
    """One process that notifies, over stores in memory."""

    def __init__(self, *recipients: str) -> None:
        self.recipients = recipients or (ANN,)
        self.stores = InMemoryMailStores(LIMITS)
        self.read_model = InMemoryReadModel()
        self.mailer = InMemoryMailer()
        self.log = WrittenInMemoryLog()
        self.told: list[DeadLetter] = []
        log, digests = self.log.reading, self.stores.digests()
        self.gatherer = Gatherer(self.stores.pacing(), log, self.recipients)
        self.notifier = Notifier(
            self.stores.claims(), self.mailer, log, self.recipients, read_url="http://read", patience=PATIENCE
        )
        sender = DigestSender(
            digests, self.mailer, log, read_url="http://read", retry_seconds=RETRY_SECONDS, patience=PATIENCE
        )
        tools = LoopTools(
            digests, sender, lambda: self.read_model.parking_alone(MAILS), ParkingBreaker(), self.told.append
        )
        self.loop = DigestLoop(
            MAILS,
            tools,
            self.recipients,
            at_a_time_max=4,
            days_kept=90,
            look_seconds=0.001,
            purge_seconds=0.0,
        )
        self.retrying = NotificationRetries(
            (self.notifier, sender), self.stores.claims(), digests,
            lambda: self.read_model.parking_alone(MAILS), log, read_one,
        )  # fmt: skip

    async def happen(self, *events: RecordedEvent) -> None:
        """Appended, and delivered in one batch."""
        await self.log.keep(events)
        await self.deliver(*events)

    async def deliver(self, *events: RecordedEvent) -> None:
        finished = await self.gatherer.gather(events)
        for event in events:
            if event.metadata.event_id not in finished:
                assert isinstance(await self.notifier.notify(event), Done)

    async def turn(self, seconds: float = 0.0) -> None:
        """Of the loop, after so much time."""
        await self.stores.pass_time(seconds)
        while await self.loop._turn():
            pass

    async def window(self) -> None:
        """It is over."""
        await self.turn(LIMITS.window_seconds + 1)

    @property
    def digests(self) -> list[Mail]:
        return [one for one in self.mailer.taken if one.event_count is not None]

    @property
    def counts(self) -> list[tuple[str, int | None]]:
        """Of each digest that was taken: to whom, and of how many events."""
        return [(one.recipient, one.event_count) for one in self.digests]

    @property
    def singles(self) -> list[str]:
        return [one.subject for one in self.mailer.taken if one.event_count is None]

    @property
    def dead_letters(self) -> list[KeptRecord]:
        return list(self.read_model.rows(MAILS).records.values())

    @property
    def dead_letter_id(self) -> int:
        (dead_letter,) = self.dead_letters
        return dead_letter.record.dead_letter_id


def marked(events: Sequence[RecordedEvent], import_id: str = "spring") -> list[RecordedEvent]:
    return [replace(one, metadata=replace(one.metadata, import_id=import_id)) for one in events]


def new(name: str, *more: e.ProductEvent) -> list[RecordedEvent]:
    return history(new_product_id(), created(name), *more)


def many(count: int, prefix: str = "Shirt") -> list[RecordedEvent]:
    return [new(f"{prefix} {n}")[0] for n in range(count)]


async def test_an_import_is_one_mail_a_recipient_and_delivered_again_none() -> None:
    world, events = World(ANN, BOB), marked(many(30))
    await world.happen(*events)
    await world.turn()
    assert world.mailer.attempts == 0
    await world.window()
    assert world.counts == [(ANN, 30), (BOB, 30)]
    await world.deliver(*events, *events)
    await world.window()
    assert len(world.mailer.taken) == 2


async def test_single_changes_during_an_import_are_single_mails_at_once() -> None:
    world = World()
    await world.happen(*marked(many(20)), *new("Single"))
    assert (world.singles, world.digests) == (["New product: Single"], [])


async def test_a_burst_is_over_when_a_window_had_no_more_than_single_mails_could_have_told() -> None:
    world, most = World(), LIMITS.single_mails_max
    for count in (most + 5, most + 1, most):
        await world.happen(*many(count))
        await world.window()
    assert world.counts == [(ANN, 5), (ANN, most + 1), (ANN, most)]
    await world.happen(*new("After"))
    assert world.singles[most:] == ["New product: After"]


async def test_nobody_gets_a_second_digest_in_a_window_however_many_imports_there_are() -> None:
    world = World()
    await world.happen(*(one for n in range(12) for one in marked(many(2, f"P{n}"), f"import-{n}")))
    await world.window()
    await world.happen(*marked(many(3, "Late"), "import-0"))
    await world.turn(LIMITS.window_seconds - 60)
    assert world.counts == [(ANN, 24)]
    imports_line = world.digests[0].body.splitlines()[1]
    assert (imports_line.count("import-"), imports_line[:9]) == (10, "Imports: ")
    assert imports_line.endswith(" and 2 more")
    await world.turn(61)
    assert world.counts == [(ANN, 24), (ANN, 3)]


async def test_a_product_is_called_what_it_was_called_after_the_last_event_that_is_told() -> None:
    world = World()
    events = marked(new("Old name", e.ProductDetailsChanged(name="Name"), priced("0.50")))
    later = history(
        events[0].product_id, created(), e.ProductPublished(), e.ProductPublished(),
        e.ProductDetailsChanged(name="Later"), e.ProductDeleted(),
    )[3:]  # fmt: skip
    await world.happen(*events, *later)
    await world.window()
    assert f"  Name  http://read/v1/products/{events[0].product_id}" in world.digests[0].body


async def test_a_product_whose_history_cannot_be_read_is_shown_without_its_name() -> None:
    world = World()
    spoilt, sound = marked(new("Spoilt"))[0], marked(new("Sound"))[0]
    await world.log.keep([broken(spoilt, data=b"{"), sound])
    await world.deliver(spoilt, sound)
    await world.window()
    assert f"\n  http://read/v1/products/{spoilt.product_id}\n  Sound  http" in world.digests[0].body


async def test_an_event_that_cannot_be_read_and_one_that_never_happened_are_in_no_digest() -> None:
    world, spoilt = World(), broken(marked(new("Spoilt"))[0])
    forged = marked(history(new_product_id(), created(), priced("0.50"), first_position=2))[1]
    sound = marked(many(3))
    await world.log.keep(sound)
    assert await world.gatherer.gather([spoilt, forged, *sound]) == {one.metadata.event_id for one in sound}
    await world.window()
    assert world.counts == [(ANN, 3)]


async def test_only_for_events_that_the_log_lacks_it_matters_how_far_its_replica_is() -> None:
    world, stream = World(), marked(history(new_product_id(), created(), priced("0.50"), priced("0.40")))
    asked, newest = list[int](), world.log.reading.newest_position

    async def newest_position() -> int:
        asked.append(await newest())
        if len(asked) == 2:
            # The replica gets the rest after its first answer.
            await world.log.keep(stream)
        return asked[-1] if len(asked) == 1 else stream[-1].log_position

    world.log.reading.newest_position = newest_position  # type: ignore[method-assign]
    await world.log.keep(stream[:2])
    assert await world.gatherer.gather([stream[1]]) == {stream[1].metadata.event_id}
    assert asked == []
    with pytest.raises(Unavailable, match="replica is at"):
        await world.gatherer.gather(stream[1:])
    assert await world.gatherer.gather(stream[1:]) >= {stream[2].metadata.event_id}
    assert len(asked) == 2


async def test_a_digest_that_could_not_be_sent_is_tried_again_while_all_else_gathers() -> None:
    world = World()
    world.mailer.behave(LATER)
    await world.happen(*marked(many(5)))
    await world.window()
    await world.happen(*marked(many(3, "More")))
    await world.turn(RETRY_SECONDS[0] - 1)
    assert world.mailer.attempts == 1
    world.mailer.behave(TAKEN)
    await world.turn(2)
    await world.window()
    assert world.counts == [(ANN, 5), (ANN, 3)]
    assert (world.dead_letters, world.told) == ([], [])


async def test_after_the_last_delay_a_digest_is_a_dead_letter_and_a_retry_sends_it() -> None:
    world = World()
    world.mailer.behave(LATER)
    await world.happen(*marked(many(5)))
    await world.window()
    for seconds in RETRY_SECONDS:
        assert world.dead_letters == []
        await world.turn(seconds + 1)
    assert world.mailer.attempts == 1 + len(RETRY_SECONDS)
    (dead_letter,) = world.dead_letters
    assert (dead_letter.record.topic, dead_letter.record.partition) == (DIGEST_DEAD_LETTERS, -1)
    assert (dead_letter.record.error_class, dead_letter.cause) == ("mail-not-sent", f"{ANN}: 450 later")
    assert f'"recipient":"{ANN}","events":5' in (dead_letter.record.value or b"").decode()
    await world.turn(RETRY_SECONDS[1] + 1)
    assert (len(world.dead_letters), len(world.told), world.mailer.attempts) == (1, 1, 3)
    assert (await world.retrying.retry_single(world.dead_letter_id, ACTION)).cause == f"{ANN}: 450 later"
    world.mailer.behave(TAKEN)
    assert await world.retrying.retry_single(world.dead_letter_id, ACTION) == Released(1, 0)
    assert (world.dead_letters, world.counts) == ([], [(ANN, 5)])


async def test_a_digest_that_may_have_been_sent_is_sent_again_only_by_a_person_who_says_so() -> None:
    world = World()
    world.mailer.then(SILENT)
    await world.happen(*marked(many(5)))
    await world.window()
    assert world.dead_letters[0].record.error_class == "mail-outcome-unknown"
    released = await world.retrying.retry_single(world.dead_letter_id, ACTION)
    assert "--resend-unknown" in (released.cause or "")
    assert len(world.mailer.taken) == 1
    resent = await world.retrying.retry_single(world.dead_letter_id, ACTION, resend_unknown=True)
    assert resent == Released(1, 0)
    first, second = world.mailer.taken
    assert (first == second, world.dead_letters) == (True, [])


async def test_a_digest_that_is_given_up_is_never_sent_and_its_events_are_never_told() -> None:
    world, events = World(), marked(many(5))
    world.mailer.then(NOBODY)
    await world.happen(*events)
    await world.window()
    assert world.dead_letters[0].record.error_class == "mail-refused"
    assert await world.retrying.discard_single(world.dead_letter_id, ACTION) == Released(1, 0)
    await world.deliver(*events)
    await world.happen(*marked(new("Behind")))
    await world.window()
    assert (world.counts, world.dead_letters) == ([(ANN, 1)], [])


async def test_a_paused_projection_sends_no_digest_until_it_is_resumed() -> None:
    world = World()
    await world.happen(*marked(many(5)))
    world.loop.obey(Control(is_paused=True, revision=1))
    await world.window()
    assert world.mailer.attempts == 0
    world.loop.obey(Control(is_paused=False, revision=2))
    await world.turn()
    assert world.counts == [(ANN, 5)]


async def test_what_a_digest_told_is_forgotten_after_the_days_that_are_told_and_not_before() -> None:
    world = World()
    await world.happen(*marked(many(5)))
    await world.window()
    await world.happen(*new("Single"))
    day = 86_400.0
    await world.turn(89 * day)
    assert sorted((await world.stores.states()).values()) == ["gathered"] * 5 + ["sent"]
    await world.turn(2 * day)
    assert list((await world.stores.states()).values()) == ["sent"]


async def test_a_digest_whose_parking_is_away_becomes_a_dead_letter_later_and_once() -> None:
    world = World()
    world.mailer.then(NOBODY)
    await world.happen(*marked(many(5)))
    world.read_model.failure = Unavailable("away")
    await world.window()
    with pytest.raises(Unavailable):
        await world.loop.check()
    world.read_model.failure = None
    await world.turn()
    await world.turn()
    await world.loop.check()
    assert (len(world.dead_letters), len(world.told), world.mailer.attempts) == (1, 1, 1)


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32))
async def test_whatever_fails_everybody_is_told_of_each_event_once_or_a_person_knows(seed: int) -> None:
    chance, world = random.Random(seed), World(ANN, BOB)
    happened: list[RecordedEvent] = []
    for _ in range(8):
        batch = many(chance.randint(1, 6))
        if chance.random() < 0.5:
            batch = marked(batch, chance.choice(["spring", "summer"]))
        happened += batch
        world.mailer.then(*chance.choices([TAKEN, SILENT, NOBODY], [8, 1, 1], k=3))
        await world.log.keep(batch)
        finished = await world.gatherer.gather([*batch, *chance.choices(happened, k=2)])
        for event in batch:
            if event.metadata.event_id not in finished:
                await world.notifier.notify(event)
        await world.turn(chance.choice([1.0, 11.0, LIMITS.window_seconds + 1]))
    world.mailer.behave(TAKEN)
    await world.window()
    await world.window()
    told = [(one.about_id, one.recipient) for one in world.mailer.taken]
    assert len(told) == len(set(told))
    states = await world.stores.states()
    assert states.keys() == {(one.metadata.event_id, to) for one in happened for to in (ANN, BOB)}
    assert set(states.values()) <= {"sent", "gathered", "unknown", "refused"}
    # What digests tell was sent, or stands in a dead letter; one whose outcome is unknown may be both.
    given_up = _digest_ids(world.dead_letters)
    in_digests = sum(one.event_count or 0 for one in world.digests if one.about_id not in given_up)
    gathered = sum(state == "gathered" for state in states.values())
    assert in_digests + sum(map(_events, world.dead_letters)) == gathered


def _digest_ids(dead_letters: Sequence[KeptRecord]) -> set[UUID]:
    return {UUID((dict(one.record.headers)["x-digest-id"] or b"").decode()) for one in dead_letters}


def _events(dead_letter: KeptRecord) -> int:
    return int((dead_letter.record.value or b"").decode().rpartition('"events":')[2].rstrip("}"))
