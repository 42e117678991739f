"""The interval between small batches: nobody waits for it but the next batch."""

import asyncio

import pytest

from projector.kafka.batch_interval import SMALL_BATCH_RECORDS, at_intervals
from projector.kafka.records import Record
from tests.unit.projector.records import record_of
from tests.unit.relay.sample_events import sample_events

HOUR_SECONDS = 3600.0
RECORD: Record = record_of(sample_events(1)[0], 0)


class _Handled:
    def __init__(self) -> None:
        self.batches: list[int] = []

    async def __call__(self, records: tuple[Record, ...]) -> None:
        self.batches.append(len(records))


async def test_a_small_batch_is_handled_at_once_and_the_next_one_waits_until_a_stop() -> None:
    handled, stop = _Handled(), asyncio.Event()
    waiting = asyncio.create_task(at_intervals(handled, (RECORD,), HOUR_SECONDS, stop))
    for _ in range(100):
        await asyncio.sleep(0)
    assert (handled.batches, waiting.done()) == ([1], False)
    stop.set()
    await waiting


@pytest.mark.parametrize(("records", "seconds"), [(SMALL_BATCH_RECORDS, HOUR_SECONDS), (1, 0.0)])
async def test_there_is_no_interval_after_a_large_batch_or_where_it_is_turned_off(
    records: int, seconds: float
) -> None:
    handled = _Handled()
    async with asyncio.timeout(60):
        await at_intervals(handled, (RECORD,) * records, seconds, asyncio.Event())
    assert handled.batches == [records]
