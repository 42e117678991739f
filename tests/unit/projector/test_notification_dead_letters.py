"""A mail that was not sent is parked with the event it is about; only what cannot be read has none."""

from uuid import UUID

import pytest

from projector.applying.dead_letters import SingleDeadLetter
from projector.applying.records import Delivered, MadeRecord
from projector.kafka.records import Record, read_one
from projector.notifications.kafka.batch import Handled, dead_letters_of
from projector.notifications.kafka.retry_topics import first_attempt
from projector.notifications.notify import Hopeless, TryAgain, Verdict
from shared.kafka.cloud_event import record_headers
from tests.unit.projector.histories import created, history, new_product_id

LOG_ID = UUID(int=7)
EVENT = history(new_product_id(), created())[0]
READABLE = MadeRecord(
    "products-events", 3, 17, 0, str(EVENT.product_id).encode(), EVENT.data,
    record_headers(EVENT, str(LOG_ID).encode()),
)  # fmt: skip


def dead_letter_of(record: Record, verdict: Verdict) -> SingleDeadLetter:
    handled = Handled(record, read_one(record, LOG_ID), verdict, "parked")
    (dead_letter,) = dead_letters_of([handled], first_attempt, is_last=True)
    assert isinstance(dead_letter, SingleDeadLetter)
    return dead_letter


@pytest.mark.parametrize("verdict", [Hopeless("mail-refused", "no such mailbox"), TryAgain("greylisted")])
def test_the_dead_letter_of_a_mail_has_its_event(verdict: Verdict) -> None:
    assert isinstance(read_one(READABLE, LOG_ID), Delivered)
    assert dead_letter_of(READABLE, verdict).event == EVENT


def test_the_dead_letter_of_a_record_that_cannot_be_read_has_none() -> None:
    dead_letter = dead_letter_of(READABLE._replace(headers=()), Hopeless("unreadable-record", "no ce_id"))
    assert dead_letter.event is None
