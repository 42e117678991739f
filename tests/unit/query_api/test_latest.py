"""The newest state of a product from a held document and the log, or nothing where the log cannot tell."""

import asyncio
from collections.abc import Sequence
from functools import reduce
from uuid import UUID, uuid4

import msgspec
import pytest

from query_api.errors import EventLogUnavailable
from query_api.history.fold import next_document
from query_api.history.latest import LatestFromLog
from query_api.history.ports import StreamPages
from query_api.products.ports import ProductRow
from shared.contract import events as e
from shared.contract.recorded_event import RecordedEvent
from shared.contract.views import ProductDocument, encode_document
from shared.ops.breaker import CircuitBreaker
from tests.in_memory_stream_log import InMemoryStreamLog
from tests.past_events import created, past_events, priced

EVENTS_MAX = 5


def latest_from(
    log: StreamPages, *, seconds_max: float = 60.0, events_max: int = EVENTS_MAX
) -> LatestFromLog:
    breaker = CircuitBreaker(failures_max=1, open_seconds=60.0)
    return LatestFromLog(log, events_max=events_max, seconds_max=seconds_max, breaker=breaker)


def folded(events: Sequence[RecordedEvent]) -> ProductRow:
    """The row that a projector would make of these events."""
    nothing: ProductDocument | None = None
    document = reduce(next_document, events, nothing)
    body = None if document is None else encode_document(document)
    return ProductRow(events[-1].product_id, events[-1].stream_version, body)


def changed(row: ProductRow, **fields: object) -> ProductRow:
    """The row with another document."""
    assert row.body is not None
    document = msgspec.json.decode(row.body, type=ProductDocument)
    return row._replace(body=encode_document(msgspec.structs.replace(document, **fields)))


@pytest.fixture
def log() -> InMemoryStreamLog:
    return InMemoryStreamLog()


@pytest.mark.parametrize("held", range(5))
@pytest.mark.parametrize("wanted", range(1, 6))
async def test_whatever_is_held_the_answer_is_the_fold_of_all_events(
    log: InMemoryStreamLog, held: int, wanted: int
) -> None:
    events = past_events(created(), e.ProductPublished(), priced("9.00"), priced("8.00"), e.ProductArchived())
    product_id = await log.append(events)
    row = folded(events[:held]) if held else None
    found = await latest_from(log).at_least(product_id, wanted, row)
    assert found == (folded(events) if wanted > held else None), "what is held is new enough, or not"


async def test_an_absence_that_the_cache_remembers_is_where_a_new_product_begins(
    log: InMemoryStreamLog,
) -> None:
    events = past_events(created())
    product_id = await log.append(events)
    assert await latest_from(log).at_least(product_id, 1, ProductRow(product_id, 0, None)) == folded(events)


async def test_a_deleted_product_is_a_row_without_a_body(log: InMemoryStreamLog) -> None:
    events = past_events(created(), e.ProductDeleted())
    product_id = await log.append(events)
    found = await latest_from(log).at_least(product_id, 2, folded(events[:1]))
    assert found == ProductRow(product_id, 2, None)


async def test_nothing_follows_a_deletion(log: InMemoryStreamLog) -> None:
    events = past_events(created(), e.ProductDeleted())
    product_id = await log.append(events)
    assert await latest_from(log).at_least(product_id, 3, folded(events)) is None
    assert log.pages == 0


async def test_a_replica_that_has_not_got_the_write_cannot_tell(log: InMemoryStreamLog) -> None:
    events = past_events(created(), priced("9.00"), priced("8.00"))
    product_id = await log.append(events[:2])
    assert await latest_from(log).at_least(product_id, 3, folded(events[:1])) is None
    assert await latest_from(log).at_least(uuid4(), 1, None) is None


@pytest.mark.parametrize("events_max", [0, 1, 2])
async def test_more_events_than_the_limit_are_not_asked_for(log: InMemoryStreamLog, events_max: int) -> None:
    events = past_events(created(), priced("9.00"), priced("8.00"))
    product_id = await log.append(events)
    assert await latest_from(log, events_max=events_max).at_least(product_id, 3, None) is None
    assert log.pages == 0


@pytest.mark.parametrize("way", ["another time", "another version"])
async def test_a_document_of_a_lost_future_is_not_continued(log: InMemoryStreamLog, way: str) -> None:
    """The log was restored from a backup, and other events came at the same versions."""
    events = past_events(created(), priced("9.00"), priced("8.00"))
    product_id = await log.append(events)
    held = folded(events[:2])
    if way == "another time":
        held = changed(held, updated_at=events[0].recorded_at)
    else:
        held = changed(held._replace(stream_version=1), version=1)
    assert await latest_from(log).at_least(product_id, 3, held) is None


async def test_a_document_of_a_newer_release_counts_as_none(log: InMemoryStreamLog) -> None:
    events = past_events(created(), priced("9.00"))
    product_id = await log.append(events)
    held = ProductRow(product_id, 1, b'{"of": "a newer release"}')
    assert await latest_from(log).at_least(product_id, 2, held) == folded(events)


@pytest.mark.parametrize("fault", ["a schema version of a newer release", "a hole"])
async def test_an_event_that_cannot_be_folded_is_left_to_the_projector(
    log: InMemoryStreamLog, fault: str
) -> None:
    first, second, third = past_events(created(), priced("9.00"), priced("8.00"))
    if fault == "a hole":
        product_id = await log.append([first, third])
    else:
        product_id = await log.append([first, msgspec.structs.replace(second, schema_version=99), third])
    assert await latest_from(log).at_least(product_id, 3, None) is None


async def test_a_log_that_fails_is_not_asked_for_a_while(log: InMemoryStreamLog) -> None:
    events = past_events(created())
    product_id = await log.append(events)
    latest = latest_from(log)
    log.failure = EventLogUnavailable("away")
    assert await latest.at_least(product_id, 1, None) is None
    log.failure = None
    assert await latest.at_least(product_id, 1, None) is None, "a while is a minute here"
    assert await latest_from(log).at_least(product_id, 1, None) == folded(events)


async def test_a_log_that_hangs_holds_nobody_up() -> None:
    class Hanging:
        async def page(
            self, product_id: UUID, above_version: int, up_to_version: int
        ) -> Sequence[RecordedEvent]:
            await asyncio.Event().wait()
            raise AssertionError("nobody sets it")

    assert await latest_from(Hanging(), seconds_max=0.001).at_least(uuid4(), 1, None) is None
