"""What claims of mails, their pacing and digests must do; a class per adapter inherits and gives `stores`."""

import asyncio
import itertools
from collections.abc import Mapping, Sequence
from typing import Protocol
from uuid import UUID, uuid4

from projector.notifications.digest_ports import (
    Contents,
    Digest,
    Digests,
    Gathered,
    Open,
    Pacing,
    ToldProducts,
)
from projector.notifications.pace import PaceLimits, Telling
from projector.notifications.ports import Claim, Claims, ClaimState, Wanted
from projector.notifications.postgres.claims import OUTCOME_UNKNOWN
from projector.notifications.text import Kind
from tests.unit.projector.histories import new_product_id

ANN, BOB = "ann@x.test", "bob@x.test"
UNKNOWN_AFTER_SECONDS, WINDOW_SECONDS = 60.0, 600.0
LIMITS = PaceLimits(2, WINDOW_SECONDS)
DAY_SECONDS = 86_400.0
_positions = itertools.count(1)


class MailStores(Protocol):
    """One store of mails, and time that a test lets pass."""

    def claims(self) -> Claims: ...

    def pacing(self) -> Pacing: ...

    def digests(self) -> Digests: ...

    async def pass_time(self, seconds: float) -> None: ...

    async def states(self) -> Mapping[tuple[UUID, str], str]:
        """By event and recipient."""


def telling(
    kind: Kind = "product-created", *, import_id: str | None = None, product_id: UUID | None = None
) -> Telling:
    return Telling(uuid4(), product_id or new_product_id(), kind, next(_positions), import_id)


def some(count: int, import_id: str | None = None) -> list[Telling]:
    return [telling(import_id=import_id) for _ in range(count)]


def wanted(recipient: str = ANN) -> Wanted:
    return Wanted(uuid4(), recipient, "product-created", new_product_id())


class ClaimsSuite:
    """At most one at a time may send a mail, and none after it was sent."""

    async def test_a_claim_whose_answer_was_lost_is_still_ours_and_nobody_elses(
        self, stores: MailStores
    ) -> None:
        claims, mail, mine, other = stores.claims(), wanted(), uuid4(), uuid4()
        assert await claims.claim(mail, (), mine) == Claim(True, "claimed")
        assert await claims.claim(mail, (), mine) == Claim(True, "claimed")
        assert await claims.claim(mail, ("failed",), other) == Claim(False, "claimed")
        await claims.settle(mail, other, "failed", "not mine to say")
        assert await claims.claim(mail, ("failed",), other) == Claim(False, "claimed")
        await claims.settle(mail, mine, "failed", "why")
        assert await claims.claim(mail, (), other) == Claim(False, "failed", "why")
        assert await claims.claim(mail, ("failed",), other) == Claim(True, "claimed")
        # Whoever had it before has nothing to say any more.
        await claims.settle(mail, mine, "sent", None)
        assert await stores.states() == {(mail.event_id, ANN): "claimed"}

    async def test_of_many_who_claim_at_the_same_time_one_has_it(self, stores: MailStores) -> None:
        mail = wanted()
        found = await asyncio.gather(*(stores.claims().claim(mail, ("failed",), uuid4()) for _ in range(4)))
        assert sorted(one.is_ours for one in found) == [False, False, False, True]

    async def test_each_recipient_has_a_claim_of_its_own(self, stores: MailStores) -> None:
        claims, mail, mine = stores.claims(), wanted(), uuid4()
        await claims.claim(mail, (), mine)
        await claims.settle(mail, mine, "sent", None)
        assert (await claims.claim(mail, ("failed",), uuid4())) == Claim(False, "sent")
        assert (await claims.claim(mail._replace(recipient=BOB), (), uuid4())).is_ours

    async def test_a_claim_that_is_older_than_any_sending_takes_is_one_of_which_nobody_knows(
        self, stores: MailStores
    ) -> None:
        claims, mail, mine = stores.claims(), wanted(), uuid4()
        await claims.claim(mail, (), mine)
        await stores.pass_time(UNKNOWN_AFTER_SECONDS - 30)
        assert await claims.claim(mail, ("unknown",), uuid4()) == Claim(False, "claimed")
        await stores.pass_time(31)
        assert await claims.claim(mail, ("failed",), uuid4()) == Claim(False, "unknown", OUTCOME_UNKNOWN)
        # It was only slow, and says so in the end.
        await claims.settle(mail, mine, "sent", None)
        assert await claims.claim(mail, ("unknown",), uuid4()) == Claim(False, "sent")

    async def test_an_old_claim_is_claimed_again_by_who_asks_for_unknown_ones(
        self, stores: MailStores
    ) -> None:
        claims, mail = stores.claims(), wanted()
        await claims.claim(mail, (), uuid4())
        await stores.pass_time(UNKNOWN_AFTER_SECONDS + 1)
        assert await claims.claim(mail, ("unknown",), uuid4()) == Claim(True, "claimed")

    async def test_what_was_given_up_is_nobodys_but_what_was_sent_stays_sent(
        self, stores: MailStores
    ) -> None:
        claims, mail, other, mine = stores.claims(), wanted(), wanted(), uuid4()
        for one in (mail, mail._replace(recipient=BOB), other):
            await claims.claim(one, (), mine)
        await claims.settle(mail, mine, "sent", None)
        await claims.settle(mail._replace(recipient=BOB), mine, "refused", "no")
        await claims.discard(mail.event_id)
        again: tuple[ClaimState, ...] = ("failed", "refused", "unknown")
        assert (await claims.claim(mail._replace(recipient=BOB), again, uuid4())).state == "discarded"
        assert await stores.states() == {
            (mail.event_id, ANN): "sent", (mail.event_id, BOB): "discarded",
            (other.event_id, ANN): "claimed",
        }  # fmt: skip


class PacingSuite:
    """One way of telling for each event and recipient, once and for all."""

    async def test_the_first_few_are_told_one_by_one_and_the_rest_gathers(self, stores: MailStores) -> None:
        events = some(4)
        assert await stores.pacing().plan(events, [ANN]) == {one.event_id for one in events[2:]}
        states = await stores.states()
        assert [states[one.event_id, ANN] for one in events] == ["planned"] * 2 + ["gathered"] * 2

    async def test_planning_again_changes_nothing_and_answers_the_same(self, stores: MailStores) -> None:
        events = some(4)
        first = await stores.pacing().plan(events, [ANN])
        states = await stores.states()
        assert await stores.pacing().plan(events, [ANN]) == first
        assert await stores.states() == states
        assert (await stores.digests().gathered([ANN])).events == 2

    async def test_only_what_gathers_for_everybody_is_finished_with(self, stores: MailStores) -> None:
        early, late = some(2), some(2)
        await stores.pacing().plan(early, [ANN])
        assert await stores.pacing().plan(late, [ANN, BOB]) == set()
        states = await stores.states()
        assert {states[one.event_id, ANN] for one in late} == {"gathered"}
        assert {states[one.event_id, BOB] for one in late} == {"planned"}

    async def test_what_an_import_wrote_gathers_and_costs_no_single_mails(self, stores: MailStores) -> None:
        imported, single = some(5, "spring"), some(2)
        assert await stores.pacing().plan([*imported, *single], [ANN]) == {one.event_id for one in imported}

    async def test_after_a_quiet_window_events_are_told_one_by_one_again(self, stores: MailStores) -> None:
        await stores.pacing().plan(some(2), [ANN])
        assert len(await stores.pacing().plan(some(1), [BOB])) == 0
        await stores.pass_time(WINDOW_SECONDS + 1)
        assert await stores.pacing().plan(some(2), [ANN]) == set()
        assert len(await stores.pacing().plan(some(1), [ANN])) == 1

    async def test_batches_at_the_same_time_share_the_single_mails(self, stores: MailStores) -> None:
        batches = [some(3) for _ in range(4)]
        found = await asyncio.gather(*(stores.pacing().plan(batch, [ANN, BOB]) for batch in batches))
        assert sum(map(len, found)) == 12 - LIMITS.single_mails_max
        states = list((await stores.states()).values())
        assert states.count("planned") == 2 * LIMITS.single_mails_max

    async def test_a_single_mail_that_is_planned_can_be_claimed_and_one_that_gathers_not(
        self, stores: MailStores
    ) -> None:
        events = some(3)
        await stores.pacing().plan(events, [ANN])
        mails = [Wanted(one.event_id, ANN, one.kind, one.product_id) for one in events]
        claims = [await stores.claims().claim(one, ("failed",), uuid4()) for one in mails]
        assert claims == [Claim(True, "claimed"), Claim(True, "claimed"), Claim(False, "gathered")]


async def made(stores: MailStores, *events: Telling, recipients: Sequence[str] = (ANN,)) -> list[Digest]:
    """Digests that tell all of these, and that a claim has."""
    await stores.pacing().plan(events, recipients)
    await stores.pass_time(WINDOW_SECONDS + 1)
    return list(await stores.digests().take(recipients, uuid4(), 10))


class DigestsSuite:
    """One digest a recipient and window; one process at a time may send it."""

    async def test_a_digest_is_taken_when_its_window_is_over_and_by_one_claim(
        self, stores: MailStores
    ) -> None:
        await stores.pacing().plan(some(3, "spring"), [ANN, BOB])
        mine, digests = uuid4(), stores.digests()
        await stores.pass_time(WINDOW_SECONDS - 60)
        assert await digests.take([ANN, BOB], mine, 10) == []
        await stores.pass_time(61)
        taken = await digests.take([ANN, BOB], mine, 10)
        assert [(one.recipient, one.attempts) for one in taken] == [(ANN, 1), (BOB, 1)]
        # The same claim asks again after an answer that was lost; another one gets nothing.
        again = await digests.take([ANN, BOB], mine, 10)
        assert [one.digest_id for one in again] == [one.digest_id for one in taken]
        assert await stores.digests().take([ANN, BOB], uuid4(), 10) == []

    async def test_no_more_are_taken_than_asked_for(self, stores: MailStores) -> None:
        await stores.pacing().plan(some(3, "spring"), [ANN, BOB])
        await stores.pass_time(WINDOW_SECONDS + 1)
        (first,) = await stores.digests().take([ANN, BOB], uuid4(), 1)
        (second,) = await stores.digests().take([ANN, BOB], uuid4(), 1)
        assert {first.recipient, second.recipient} == {ANN, BOB}

    async def test_of_processes_that_take_at_the_same_time_one_has_the_digest(
        self, stores: MailStores
    ) -> None:
        await stores.pacing().plan(some(3, "spring"), [ANN, BOB])
        await stores.pass_time(WINDOW_SECONDS + 1)
        found = await asyncio.gather(*(stores.digests().take([ANN, BOB], uuid4(), 10) for _ in range(3)))
        taken = [one for digests in found for one in digests]
        left = await stores.digests().take([ANN, BOB], uuid4(), 10)
        assert sorted(one.recipient for one in [*taken, *left]) == [ANN, BOB]

    async def test_it_tells_each_product_once_by_sort_with_the_first_of_them_and_the_imports(
        self, stores: MailStores
    ) -> None:
        product = new_product_id()
        new = [telling(import_id="spring") for _ in range(3)]
        both = [
            telling(kind, import_id="summer", product_id=product)
            for kind in ("product-created", "price-dropped", "product-archived")
        ]
        cheaper, archived = (
            telling("price-dropped", import_id="a"),
            telling("product-archived", import_id="a"),
        )
        (digest,) = await made(stores, *new, *both, cheaper, archived)
        contents = await stores.digests().contents(digest.digest_id, 2)
        assert contents.sorts == {
            "archived": ToldProducts(1, 1, [(archived.product_id, archived.log_position)]),
            "cheaper": ToldProducts(1, 1, [(cheaper.product_id, cheaper.log_position)]),
            "new": ToldProducts(3, 3, [(one.product_id, one.log_position) for one in new[:2]]),
            "new-and-archived": ToldProducts(1, 3, [(product, both[2].log_position)]),
        }
        assert (len(contents.import_ids), contents.imports, contents.events) == (2, 3, 8)
        assert set(contents.import_ids) < {"a", "spring", "summer"}
        assert await stores.digests().contents(uuid4(), 2) == Contents({}, [], 0)

    async def test_nothing_new_is_taken_while_an_earlier_one_is_on_its_way_or_its_window_lasts(
        self, stores: MailStores
    ) -> None:
        digests, mine = stores.digests(), uuid4()
        await stores.pacing().plan(some(1, "spring"), [ANN])
        await stores.pass_time(WINDOW_SECONDS + 1)
        (first,) = await digests.take([ANN], mine, 10)
        await stores.pacing().plan(some(1, "summer"), [ANN])
        await stores.pass_time(WINDOW_SECONDS + 1)
        assert await digests.take([ANN], uuid4(), 10) == []
        await digests.settle(first.digest_id, mine, "failed", "later", 10 * WINDOW_SECONDS)
        assert await digests.take([ANN], uuid4(), 10) == []
        await digests.discard(first.digest_id)
        (second,) = await digests.take([ANN], mine, 10)
        await digests.settle(second.digest_id, mine, "sent", None)
        await stores.pacing().plan(some(1, "autumn"), [ANN])
        await stores.pass_time(WINDOW_SECONDS - 60)
        assert await digests.take([ANN], uuid4(), 10) == []
        await stores.pass_time(61)
        assert len(await digests.take([ANN], uuid4(), 10)) == 1

    async def test_what_is_due_waits_until_a_window_after_the_last_digest(self, stores: MailStores) -> None:
        digests, mine = stores.digests(), uuid4()
        await stores.pacing().plan(some(1, "spring"), [ANN])
        await stores.pass_time(WINDOW_SECONDS / 2)
        await stores.pacing().plan(some(1, "summer"), [ANN])
        await stores.pass_time(WINDOW_SECONDS / 2 + 1)
        (digest,) = await digests.take([ANN], mine, 10)
        await digests.settle(digest.digest_id, mine, "sent", None)
        await stores.pass_time(WINDOW_SECONDS - 60)
        assert await digests.take([ANN], uuid4(), 10) == []
        await stores.pass_time(61)
        assert len(await digests.take([ANN], uuid4(), 10)) == 1

    async def test_one_that_failed_is_taken_again_when_its_time_has_come_and_counts_its_attempts(
        self, stores: MailStores
    ) -> None:
        digests, mine = stores.digests(), uuid4()
        await stores.pacing().plan(some(1, "spring"), [ANN])
        await stores.pass_time(WINDOW_SECONDS + 1)
        (digest,) = await digests.take([ANN], mine, 10)
        await digests.settle(digest.digest_id, uuid4(), "sent", None)
        await digests.settle(digest.digest_id, mine, "failed", "later", 100.0)
        await stores.pass_time(60)
        assert (await digests.take([ANN], uuid4(), 10), await digests.undelivered(10)) == ([], [])
        await stores.pass_time(41)
        (again,) = await digests.take([ANN], uuid4(), 10)
        assert (again.digest_id, again.attempts) == (digest.digest_id, 2)

    async def test_what_will_not_go_out_by_itself_is_undelivered_until_a_person_knows(
        self, stores: MailStores
    ) -> None:
        digests, mine = stores.digests(), uuid4()
        await stores.pacing().plan(some(2, "spring"), [ANN, BOB])
        await stores.pass_time(WINDOW_SECONDS + 1)
        ann, bob = await digests.take([ANN, BOB], mine, 10)
        assert await digests.undelivered(10) == []
        await digests.settle(ann.digest_id, mine, "failed", "never", None)
        await stores.pass_time(UNKNOWN_AFTER_SECONDS + 1)
        found = await digests.undelivered(10)
        assert {(one.digest_id, one.state, one.cause, one.events) for one in found} == {
            (ann.digest_id, "failed", "never", 2), (bob.digest_id, "unknown", OUTCOME_UNKNOWN, 2),
        }  # fmt: skip
        assert [one.digest_number for one in found] == sorted({one.digest_number for one in found})
        assert len(await digests.undelivered(1)) == 1
        await digests.mark_parked([ann.digest_id])
        assert [one.digest_id for one in await digests.undelivered(10)] == [bob.digest_id]

    async def test_by_hand_one_is_claimed_where_its_state_is_among_those_asked_for(
        self, stores: MailStores
    ) -> None:
        (digest,) = await made(stores, *some(1, "spring"))
        digests, mine, digest_id = stores.digests(), uuid4(), digest.digest_id
        assert await digests.claim(digest_id, ("failed",), mine) == (Claim(False, "claimed"), None)
        await stores.pass_time(UNKNOWN_AFTER_SECONDS + 1)
        assert await digests.claim(digest_id, ("failed",), mine) == (
            Claim(False, "unknown", OUTCOME_UNKNOWN),
            None,
        )
        claim, found = await digests.claim(digest_id, ("unknown",), mine)
        assert (claim, found and found.attempts) == (Claim(True, "claimed"), 2)
        assert (await digests.claim(digest_id, (), mine))[0].is_ours
        await digests.settle(digest_id, mine, "sent", None)
        assert await digests.claim(digest_id, ("failed",), mine) == (Claim(False, "sent"), None)
        # One that is forgotten was sent or discarded long before.
        assert await digests.claim(uuid4(), ("failed",), mine) == (Claim(False, "sent"), None)

    async def test_what_was_given_up_is_never_taken_and_its_events_never_told(
        self, stores: MailStores
    ) -> None:
        events = some(2, "spring")
        (digest,) = await made(stores, *events)
        digests = stores.digests()
        await digests.discard(digest.digest_id)
        await stores.pass_time(10 * WINDOW_SECONDS)
        await stores.pacing().plan(events, [ANN])
        assert (await digests.take([ANN], uuid4(), 10), await digests.undelivered(10)) == ([], [])
        assert (await digests.gathered([ANN])).events == 0

    async def test_a_burst_is_a_digest_a_window_until_a_window_had_no_more_than_single_mails_could_tell(
        self, stores: MailStores
    ) -> None:
        digests, told = stores.digests(), []
        for count in (LIMITS.single_mails_max + 3, LIMITS.single_mails_max + 1, LIMITS.single_mails_max):
            await stores.pacing().plan(some(count), [ANN])
            await stores.pass_time(WINDOW_SECONDS + 1)
            mine = uuid4()
            (digest,) = await digests.take([ANN], mine, 10)
            told.append((await digests.contents(digest.digest_id, 1)).events)
            await digests.settle(digest.digest_id, mine, "sent", None)
        assert told == [3, LIMITS.single_mails_max + 1, LIMITS.single_mails_max]
        await stores.pass_time(1)
        assert await stores.pacing().plan(some(1), [ANN]) == set()

    async def test_what_waits_is_what_gathers_or_is_on_its_way(self, stores: MailStores) -> None:
        digests, mine = stores.digests(), uuid4()
        assert await digests.gathered([ANN]) == Gathered(0, 0.0)
        await stores.pacing().plan(some(2, "spring"), [ANN, BOB])
        await stores.pass_time(WINDOW_SECONDS + 1)
        assert (await digests.gathered([ANN])).events == 2
        waiting = await digests.gathered([ANN, BOB])
        assert (waiting.events, waiting.oldest_seconds >= WINDOW_SECONDS) == (4, True)
        (digest,) = await digests.take([ANN], mine, 10)
        assert (await digests.gathered([ANN])).events == 2
        await digests.settle(digest.digest_id, mine, "failed", "later", 10.0)
        assert (await digests.gathered([ANN])).events == 2
        await stores.pass_time(11)
        (digest,) = await digests.take([ANN], mine, 10)
        await digests.settle(digest.digest_id, mine, "sent", None)
        assert ((await digests.gathered([ANN])).events, (await digests.gathered([BOB])).events) == (0, 2)

    async def test_a_digest_is_open_until_it_is_sent_given_up_or_a_dead_letter(
        self, stores: MailStores
    ) -> None:
        digests, mine, seen = stores.digests(), uuid4(), []
        nothing, waits, is_due = Open(False, False), Open(True, False), Open(True, True)
        seen.append(await digests.open())
        await stores.pacing().plan(some(2, "spring"), [ANN])
        seen.append(await digests.open())
        await stores.pass_time(WINDOW_SECONDS + 1)
        seen.append(await digests.open())
        (digest,) = await digests.take([ANN], mine, 10)
        seen.append(await digests.open())
        await digests.settle(digest.digest_id, mine, "failed", "later", 10.0)
        seen.append(await digests.open())
        await stores.pass_time(11)
        await digests.take([ANN], mine, 10)
        await digests.settle(digest.digest_id, mine, "refused", "no such mailbox")
        seen.append(await digests.open())
        assert seen == [nothing, waits, is_due, is_due, is_due, is_due]
        await digests.mark_parked([digest.digest_id])
        assert await digests.open() == nothing

    async def test_an_operators_attempt_to_send_a_dead_letter_is_open_until_its_end_is_known(
        self, stores: MailStores
    ) -> None:
        digests, mine, operators = stores.digests(), uuid4(), uuid4()
        await stores.pacing().plan(some(2, "spring"), [ANN])
        await stores.pass_time(WINDOW_SECONDS + 1)
        (digest,) = await digests.take([ANN], mine, 10)
        await digests.settle(digest.digest_id, mine, "refused", "no such mailbox")
        await digests.mark_parked([digest.digest_id])
        assert (await digests.claim(digest.digest_id, ("refused",), operators))[0].is_ours
        assert await digests.open() == Open(True, True)
        await digests.settle(digest.digest_id, operators, "sent", None)
        assert await digests.open() == Open(False, False)

    async def test_what_was_settled_long_ago_is_forgotten_with_its_events_one_digest_at_a_time(
        self, stores: MailStores
    ) -> None:
        digests, mine, events = stores.digests(), uuid4(), some(2, "spring")
        await stores.pacing().plan(events, [ANN, BOB])
        await stores.pass_time(WINDOW_SECONDS + 1)
        ann, bob = await digests.take([ANN, BOB], mine, 10)
        await digests.settle(ann.digest_id, mine, "sent", None)
        await stores.pass_time(89 * DAY_SECONDS)
        assert not await digests.purge_one(90)
        await stores.pass_time(2 * DAY_SECONDS)
        assert await digests.purge_one(90)
        assert not await digests.purge_one(90)  # Bob's is not settled
        assert await stores.states() == {(one.event_id, BOB): "gathered" for one in events}
        assert await digests.contents(ann.digest_id, 5) == Contents({}, [], 0)
        assert (await digests.contents(bob.digest_id, 5)).events == 2
