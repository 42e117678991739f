"""What a record says that waits for another attempt."""

import pytest

from projector.applying.records import MadeRecord
from projector.notifications.kafka.retry_topics import first_attempt, kept


@pytest.mark.parametrize(
    "cause", ["", "x" * 5000, "é" * 5000, "x" + "é" * 5000, "👕" * 2000, "xx" + "👕" * 2000]
)
def test_a_long_cause_is_cut_between_characters(cause: str) -> None:
    record = MadeRecord("t", 0, 0, 0, b"key", b"value", ())
    header = dict(kept(record, first_attempt(record), cause).headers)["x-cause"]
    assert header is not None
    assert cause.startswith(header.decode())
    assert len(header) == min(len(cause.encode()), 4096) or 4096 - 3 <= len(header) <= 4096
