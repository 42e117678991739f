"""The checker finds every wrong latest state, mail and dead letter."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from tests.end_to_end.checks.digests import problems as digest_problems
from tests.end_to_end.checks.history import History
from tests.end_to_end.checks.mails import DeliveredDigest, DigestRow, Mails
from tests.end_to_end.checks.mails import problems as mail_problems
from tests.end_to_end.checks.parked import Parked
from tests.end_to_end.checks.parked import problems as parked_problems
from tests.end_to_end.checks.views import products_state
from tests.end_to_end.kafka_topics import Published
from tests.end_to_end.mail_evidence import (
    ANNA,
    ANNAS_MAIL,
    BERT,
    HISTORY,
    LOG,
    WRONG_MAILS,
    dead_letter,
    mails,
    settled,
)
from tests.end_to_end.sound_evidence import states

_OF_LIVE, _OF_DELETED = (0, 2, 4, 5, 6), (1, 3)
"""Places in the log, and so in the topic as `states` makes it."""


def records() -> list[Published]:
    """Every version of every product."""
    return states(LOG)


def test_whatever_was_left_out_on_the_way_to_the_newest_state_is_no_fault() -> None:
    assert list(products_state.problems(HISTORY, records())) == []
    newest = [records()[6], records()[3]]
    assert list(products_state.problems(HISTORY, newest)) == []
    repeated = [*records(), records()[6]]
    assert list(products_state.problems(HISTORY, repeated)) == []
    without_deleted = [records()[place] for place in _OF_LIVE]
    assert list(products_state.problems(HISTORY, without_deleted)) == []


def changed(seen: list[Published], place: int, **changes: Any) -> None:
    seen[place] = replace(seen[place], **changes)


def with_header(seen: list[Published], place: int, name: str, value: str) -> None:
    changed(seen, place, headers={**seen[place].headers, name: value})


WRONG_STATES: dict[str, tuple[str, Callable[[list[Published]], Any]]] = {
    "a product is missing": (
        "is missing", lambda seen: seen.__setitem__(slice(None), [seen[at] for at in _OF_DELETED])
    ),
    "the newest state is missing": ("ends with version 4, not 5", lambda seen: seen.pop(6)),
    "a tombstone is missing": ("ends with version 1, not 2", lambda seen: seen.pop(3)),
    "an older version comes last": ("comes after version 5", lambda seen: seen.append(seen[5])),
    "an older version comes in between": ("comes after version 4", lambda seen: seen.insert(6, seen[2])),
    "a deleted product has a document again": (
        "comes after version 2", lambda seen: seen.append(seen[1])
    ),
    "a tombstone has a value": (
        "of a product that is deleted", lambda seen: changed(seen, 3, value=seen[1].value)
    ),
    "a live product has a tombstone": (
        "of a product that is archived", lambda seen: changed(seen, 6, value=None)
    ),
    "a document is older than its version": (
        "products-state: ", lambda seen: changed(seen, 6, value=seen[5].value)
    ),
    "a state is of nothing": ("is not in the log", lambda seen: changed(seen, 6, key="ghost")),
    "a version is not there yet": (
        "is not in the log", lambda seen: with_header(seen, 6, "ce_streamversion", "6")
    ),
    "a state is without a version": (
        "is not in the log", lambda seen: with_header(seen, 6, "ce_streamversion", "")
    ),
    "a header is wrong": ("differs in headers", lambda seen: with_header(seen, 6, "ce_position", "1")),
    "a state is in another partition": ("its key belongs to", lambda seen: changed(seen, 6, partition=11)),
}  # fmt: skip


@pytest.mark.parametrize("wrong", WRONG_STATES)
def test_a_wrong_state_is_found(wrong: str) -> None:
    said, break_it = WRONG_STATES[wrong]
    seen = records()
    break_it(seen)
    found = list(products_state.problems(HISTORY, seen))
    assert any(said in problem for problem in found), found


@pytest.mark.parametrize(
    ("state", "is_delivered"),
    [("sent", True), ("unknown", True), ("unknown", False), ("failed", False), ("refused", False)],
)
def test_a_mail_that_did_not_come_is_no_fault_where_a_person_was_asked(
    state: str, is_delivered: bool
) -> None:
    seen, parked = mails(), list[Parked]()
    assert list(mail_problems(HISTORY, seen, parked)) == []
    settled(seen, state, is_delivered=is_delivered, parked=parked)
    assert list(mail_problems(HISTORY, seen, parked)) == []
    found = list(mail_problems(HISTORY, seen, []))
    assert found == ([] if state == "sent" else [f"{ANNAS_MAIL} is {state}, and has no dead letter"])


def test_a_mail_that_was_given_up_before_anybody_claimed_it_is_no_fault() -> None:
    seen = mails()
    del seen.claims["event-1", ANNA], seen.delivered[0]
    assert list(mail_problems(HISTORY, seen, [dead_letter()])) == []
    assert list(mail_problems(HISTORY, seen, [])) == [f"{ANNAS_MAIL} has no row, and has come 0 times"]


@pytest.mark.parametrize("wrong", WRONG_MAILS)
def test_a_wrong_mail_is_found(wrong: str) -> None:
    said, break_it = WRONG_MAILS[wrong]
    seen, parked = mails(), list[Parked]()
    break_it(seen, parked)
    found = list(mail_problems(HISTORY, seen, parked))
    assert any(said in problem for problem in found), found


@pytest.mark.parametrize("error_class", ["mail-refused", "mail-outcome-unknown", "mail-not-sent"])
def test_the_outcome_of_a_mail_may_be_parked_and_nothing_else(error_class: str) -> None:
    assert list(parked_problems([dead_letter(error_class)])) == []
    assert len(list(parked_problems([dead_letter(error_class, "product_view")]))) == 1
    assert len(list(parked_problems([dead_letter("undecodable")]))) == 1


SUBJECT = "Catalogue changes: 1 new product, 1 archived new product"
TEXT = """4 changes of 2 products, told in one mail.
Import: spring

New products: 1
  deleted  http://read/v1/products/2

New products that are already archived: 1
  live  http://read/v1/products/1
"""


def digests() -> Mails:
    """Anna got one digest with everything, Bert a single mail for each event."""
    seen = mails()
    seen.delivered = [one for one in seen.delivered if one.recipient == BERT]
    for event_id, recipient in seen.claims:
        if recipient == ANNA:
            key = event_id, recipient
            seen.claims[key] = seen.claims[key]._replace(state="gathered", digest_id="digest-1")
    seen.digests["digest-1"] = DigestRow(ANNA, "sent")
    seen.delivered_digests.append(DeliveredDigest("digest-1", ANNA, "4", SUBJECT, TEXT))
    return seen


def all_problems(seen: Mails, parked: list[Parked]) -> list[str]:
    return [*mail_problems(HISTORY, seen, parked), *digest_problems(seen, parked)]


def with_digest(seen: Mails, **changes: Any) -> None:
    seen.delivered_digests[0] = seen.delivered_digests[0]._replace(**changes)


def with_row(seen: Mails, event_id: str, **changes: Any) -> None:
    seen.claims[event_id, ANNA] = seen.claims[event_id, ANNA]._replace(**changes)


def test_events_that_a_digest_tells_are_told() -> None:
    assert all_problems(digests(), []) == []


@pytest.mark.parametrize(
    ("state", "is_delivered"), [("unknown", True), ("unknown", False), ("failed", False), ("refused", False)]
)
def test_a_digest_that_did_not_come_is_no_fault_where_a_person_was_asked(
    state: str, is_delivered: bool
) -> None:
    seen = digests()
    seen.digests["digest-1"] = DigestRow(ANNA, state)
    if not is_delivered:
        seen.delivered_digests.clear()
    assert all_problems(seen, [dead_letter()._replace(event_id="digest-1")]) == []
    assert all_problems(seen, []) == [f"digest: digest-1 to {ANNA} is {state}, and has no dead letter"]


WRONG_DIGESTS: dict[str, tuple[str, Callable[[Mails], Any]]] = {
    "a digest came twice": (
        "is sent, and has come 2 times", lambda seen: seen.delivered_digests.append(seen.delivered_digests[0])
    ),
    "a digest never came": ("is sent, and has come 0 times", lambda seen: seen.delivered_digests.clear()),
    "an event was told by a digest and by a mail of its own": (
        "is gathered, and has come 1 times", lambda seen: seen.delivered.append(mails().delivered[0])
    ),
    "an event that waits for a digest is in none": (
        "is gathered, and is in no digest", lambda seen: with_row(seen, "event-1", digest_id=None)
    ),
    "a digest lacks an event": (
        "counts 3 events, and 4 rows name it", lambda seen: with_digest(seen, event_count="3")
    ),
    "a digest is of an event that has a mail of its own": (
        "has events that are not gathered", lambda seen: with_row(seen, "event-1", state="sent")
    ),
    "a digest is of another recipient's event": (
        "has events that are not gathered", lambda seen: seen.claims.update(
            {("event-1", BERT): seen.claims["event-1", BERT]._replace(digest_id="digest-1")}
        )
    ),
    "a digest went to somebody else": ("went to bert", lambda seen: with_digest(seen, recipient=BERT)),
    "a digest has no row": ("has no row, and has come 1 times", lambda seen: seen.digests.clear()),
    "a digest tells nothing": (
        "is sent and has no events", lambda seen: seen.digests.update({"digest-2": DigestRow(ANNA, "sent")})
    ),
    "a digest is still claimed": (
        "is claimed, and has come 1 times",
        lambda seen: seen.digests.update({"digest-1": DigestRow(ANNA, "claimed")}),
    ),
    "a digest counts other products": (
        "and should count",
        lambda seen: with_digest(seen, text=TEXT.replace("New products: 1", "New products: 2")),
    ),
    "a digest's subject counts other products": (
        "in its subject", lambda seen: with_digest(seen, subject="Catalogue changes: 3 new products")
    ),
}  # fmt: skip


@pytest.mark.parametrize("wrong", WRONG_DIGESTS)
def test_a_wrong_digest_is_found(wrong: str) -> None:
    said, break_it = WRONG_DIGESTS[wrong]
    seen = digests()
    break_it(seen)
    found = all_problems(seen, [])
    assert any(said in problem for problem in found), found


def test_a_mail_of_its_own_about_an_imported_event_is_found() -> None:
    log = [replace(LOG[0], metadata={**LOG[0].metadata, "import_id": "spring"}), *LOG[1:]]
    found = list(mail_problems(History(log, "log"), mails(), []))
    own = "is from an import, and is a single mail"
    assert found == [f"mail: product-created event-1 to {one} {own}" for one in (ANNA, BERT)]
    found = list(mail_problems(History(log, "log"), digests(), []))
    assert found == [f"mail: product-created event-1 to {BERT} {own}"]
