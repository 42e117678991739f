"""What every event store must do; a class per adapter inherits it and gives `store`."""

import asyncio
from dataclasses import replace
from uuid import UUID

from msgspec import structs
from uuid_utils.compat import uuid7

from command_api.executing.ports import (
    NO_STREAM,
    Appended,
    DuplicateKey,
    EventStore,
    ReservationTaken,
    StoredAnswer,
    VersionConflict,
)
from shared.contract import events as e
from tests.unit.execute.appends import answer_under, at, change, creation, no_op

OTHER = UUID(int=99)


class EventStoreSuite:
    """Inherit with a fixture `store`: an empty `EventStore`."""

    async def test_what_was_appended_is_loaded_and_nobody_else_has_it(self, store: EventStore) -> None:
        append = creation("shirt", "S-1", "S-2")
        assert await store.load(append.product_id) == NO_STREAM
        outcome = await store.append(append)
        assert outcome == Appended(1, 1)
        stream = await store.load(append.product_id)
        assert (stream.stream_version, stream.last_position) == (1, 1)
        (event,) = stream.events
        assert isinstance(event, e.ProductCreated)
        assert [variant.sku for variant in event.variants] == ["S-1", "S-2"]
        assert await store.load(uuid7()) == NO_STREAM

    async def test_several_events_of_one_command_get_versions_and_positions_in_order(
        self, store: EventStore
    ) -> None:
        append = creation("shirt")
        await store.append(append)
        events: list[e.ProductEvent] = [
            e.ProductDetailsChanged(name="a"),
            e.ProductPublished(),
            e.ProductArchived(),
        ]
        outcome = await store.append(change(append.product_id, at(1, 1), *events))
        assert outcome == Appended(4, 4)
        stream = await store.load(append.product_id)
        assert list(stream.events[1:]) == events

    async def test_a_load_from_a_known_place_gives_the_events_after_it(self, store: EventStore) -> None:
        append = creation("shirt")
        await store.append(append)
        whole = await store.load(append.product_id)
        assert (whole.after_version, len(whole.events)) == (0, 1)
        nothing_new = await store.load(append.product_id, whole.place)
        assert nothing_new == structs.replace(whole, events=[], after_version=1)
        events: list[e.ProductEvent] = [e.ProductDetailsChanged(name="a"), e.ProductPublished()]
        await store.append(change(append.product_id, whole, *events))
        later = await store.load(append.product_id, whole.place)
        assert (later.stream_version, later.last_position, later.after_version) == (3, 3, 1)
        assert list(later.events) == events
        assert later.place == (await store.load(append.product_id)).place

    async def test_a_place_that_this_log_does_not_have_gives_the_whole_stream(
        self, store: EventStore
    ) -> None:
        """As after a backup was restored: the version is there, and another event in its place."""
        append = creation("shirt")
        await store.append(append)
        whole = await store.load(append.product_id)
        assert whole.place is not None
        for place in (
            structs.replace(whole.place, metadata=b"another event"),
            structs.replace(whole.place, stream_version=2, position=2),
            structs.replace(whole.place, position=7),
        ):
            assert await store.load(append.product_id, place) == whole
        assert await store.load(OTHER, whole.place) == NO_STREAM

    async def test_another_version_than_expected_conflicts_and_tells_the_present_one(
        self, store: EventStore
    ) -> None:
        append = creation("shirt")
        await store.append(append)
        await store.append(change(append.product_id, at(1, 1)))
        for version in (0, 1, 3):
            outcome = await store.append(change(append.product_id, at(version, 1)))
            assert outcome == VersionConflict(2)
        assert await store.append(change(OTHER, at(1, 1))) == VersionConflict(0)
        assert (await store.load(append.product_id)).stream_version == 2
        assert await store.load(OTHER) == NO_STREAM

    async def test_a_slug_or_sku_of_another_product_is_taken(self, store: EventStore) -> None:
        await store.append(creation("shirt", "S-1", "S-2"))
        assert await store.append(creation("shirt", "S-3")) == ReservationTaken(("s", "shirt"))
        assert await store.append(creation("hat", "H-1", "S-2")) == ReservationTaken(("k", "S-2"))
        # A SKU and a slug of the same text are two things, and case counts.
        assert isinstance(await store.append(creation("S-1", "shirt", "s-1")), Appended)

    async def test_outcomes_come_in_their_order_key_then_version_then_taken(self, store: EventStore) -> None:
        key = uuid7()
        first = creation("shirt", "S-1", answer=answer_under(key))
        await store.append(first)
        all_wrong = change(first.product_id, at(7), claims=[("s", "hat")], answer=answer_under(key))
        await store.append(creation("hat", "H-1"))
        assert await store.append(all_wrong) == DuplicateKey()
        version_and_slug = change(first.product_id, at(7), claims=[("s", "hat")])
        assert await store.append(version_and_slug) == VersionConflict(1)
        slug_alone = change(first.product_id, at(1, 1), claims=[("s", "hat")])
        assert await store.append(slug_alone) == ReservationTaken(("s", "hat"))

    async def test_a_refused_command_leaves_nothing_behind(self, store: EventStore) -> None:
        taken = creation("shirt", "S-1")
        await store.append(taken)
        key = uuid7()
        refused = creation("hat", "H-1", "S-1", answer=answer_under(key))
        assert isinstance(await store.append(refused), ReservationTaken)
        assert await store.load(refused.product_id) == NO_STREAM
        assert await store.find_answer(key) is None
        assert await store.find_holder(("s", "hat")) is None
        # Everything that it wanted is free, and no position was burned.
        outcome = await store.append(creation("hat", "H-1", answer=answer_under(key)))
        assert outcome == Appended(1, 2)

    async def test_a_keyed_command_keeps_its_answer(self, store: EventStore) -> None:
        key, fingerprint = uuid7(), uuid7()
        append = creation("shirt", answer=answer_under(key, b'{"a":1}', fingerprint))
        await store.append(append)
        expected = StoredAnswer(fingerprint, append.product_id, 1, 1, 201, b'{"a":1}')
        assert await store.find_answer(key) == expected
        assert await store.find_answer(uuid7()) is None

    async def test_a_state_that_was_known_in_another_session_is_no_newest_one(
        self, store: EventStore
    ) -> None:
        append = creation("shirt")
        await store.append(append)
        session = store.session
        assert session is not None
        lost = replace(change(append.product_id, at(1, 1)), known_in="another")
        assert await store.append(lost) == VersionConflict(1)
        assert (await store.load(append.product_id)).stream_version == 1
        assert await store.append(replace(lost, known_in=session)) == Appended(2, 2)

    async def test_a_no_op_with_a_key_keeps_only_the_key(self, store: EventStore) -> None:
        append = creation("shirt")
        await store.append(append)
        await store.append(creation("hat"))
        key = uuid7()
        quiet = no_op(append.product_id, at(1, 1), answer_under(key, status=200))
        assert await store.append(quiet) == Appended(1, 1)
        assert await store.find_answer(key) == StoredAnswer(UUID(int=1), append.product_id, 1, 1, 200, b"{}")
        assert (await store.load(append.product_id)).stream_version == 1
        assert await store.append(creation("sock")) == Appended(1, 3)
        assert await store.append(quiet) == DuplicateKey()
        late = no_op(append.product_id, at(5, 1), answer_under(uuid7()))
        assert await store.append(late) == VersionConflict(1)

    async def test_a_release_frees_the_slug_and_the_skus(self, store: EventStore) -> None:
        append = creation("shirt", "S-1")
        await store.append(append)
        assert await store.find_holder(("s", "shirt")) == append.product_id
        releases = frozenset([("s", "shirt"), ("k", "S-1")])
        await store.append(change(append.product_id, at(1, 1), e.ProductDeleted(), releases=releases))  # type: ignore[arg-type]
        assert await store.find_holder(("s", "shirt")) is None
        again = creation("shirt", "S-1")
        assert await store.append(again) == Appended(1, 3)
        assert await store.find_holder(("s", "shirt")) == again.product_id

    async def test_a_refused_release_frees_nothing(self, store: EventStore) -> None:
        append = creation("shirt", "S-1")
        await store.append(append)
        await store.append(change(append.product_id, at(9), e.ProductDeleted(), releases=[("s", "shirt")]))
        assert await store.find_holder(("s", "shirt")) == append.product_id

    async def test_nobody_frees_what_another_product_holds(self, store: EventStore) -> None:
        holder, other = creation("shirt", "S-1"), creation("hat", "H-1")
        await store.append(holder)
        await store.append(other)
        await store.append(change(other.product_id, at(1, 2), releases=[("k", "S-1"), ("s", "shirt")]))
        assert await store.find_holder(("s", "shirt")) == holder.product_id

    async def test_commands_at_the_same_moment_each_get_their_own_outcome(self, store: EventStore) -> None:
        old = creation("old", "O-1")
        await store.append(old)
        key = uuid7()
        outcomes = await asyncio.gather(
            store.append(creation("a", "A-1")),
            store.append(change(old.product_id, at(3))),
            store.append(creation("b", "B-1", answer=answer_under(key))),
            store.append(creation("c", "O-1")),
            store.append(creation("d", "D-1", answer=answer_under(key))),
            store.append(creation("e", "A-1")),
            store.append(change(old.product_id, at(1, 1))),
            store.append(change(old.product_id, at(1, 1))),
        )
        assert outcomes[1] == VersionConflict(1)
        assert outcomes[3] == ReservationTaken(("k", "O-1"))
        assert outcomes[4] == DuplicateKey()
        assert outcomes[5] == ReservationTaken(("k", "A-1"))
        assert outcomes[7] == VersionConflict(2)
        appended = [outcome for outcome in outcomes if isinstance(outcome, Appended)]
        assert sorted(outcome.last_position for outcome in appended) == [2, 3, 4]

    async def test_a_thousand_look_ups_at_once_find_each_their_own(self, store: EventStore) -> None:
        appends = [
            creation(f"p{number}", answer=answer_under(uuid7(), b"%d" % number)) for number in range(300)
        ]
        await asyncio.gather(*map(store.append, appends))
        streams = await asyncio.gather(*(store.load(append.product_id) for append in appends))
        slugs = [
            event.slug for stream in streams for event in stream.events if isinstance(event, e.ProductCreated)
        ]
        assert slugs == [f"p{number}" for number in range(300)]
        answers = await asyncio.gather(
            *(store.find_answer(each.answer.key) for each in appends if each.answer)
        )
        assert [answer.body for answer in answers if answer] == [b"%d" % number for number in range(300)]
        holders = await asyncio.gather(*(store.find_holder(("s", f"p{number}")) for number in range(300)))
        assert holders == [append.product_id for append in appends]
