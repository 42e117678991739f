"""The use case over a store in memory: retries, versions, keys, generated slugs, sizes."""

import asyncio
import itertools
from typing import Any
from uuid import UUID, uuid4

import msgspec
import pytest

from command_api.domain import commands as c
from command_api.domain import errors
from command_api.executing.caller import Caller
from command_api.executing.execute import ExecuteCommand
from command_api.executing.ports import Append, StoreUnavailable, Stream, StreamPlace
from command_api.executing.request import Done, IdempotencyKey, Request
from shared.contract import events as e
from shared.contract.recorded_event import EventMetadata
from tests.executing import execute_command
from tests.in_memory_event_store import InMemoryEventStore
from tests.unit.domain.samples import LARGE, created

CALLER = Caller("ann", "request-1", "00-aa-bb-01")


def render(done: Done) -> tuple[int, bytes]:
    return 200, f"{done.stream_version} {done.product.name} {done.product.slug}".encode()


def request(command: c.Command, product_id: UUID, **more: Any) -> Request:
    return Request(command, product_id, CALLER, render, **more)


def key(number: int = 1, payload: int = 1) -> IdempotencyKey:
    return IdempotencyKey(UUID(int=number), UUID(int=payload))


def rename(name: str) -> c.ChangeDetails:
    return c.ChangeDetails({"name": name})


@pytest.fixture
def store() -> InMemoryEventStore:
    return InMemoryEventStore()


@pytest.fixture
def execute(store: InMemoryEventStore) -> ExecuteCommand:
    numbers = itertools.count(1000)
    return execute_command(store, new_id=lambda: UUID(int=next(numbers)))


async def _product(execute: ExecuteCommand, slug: str = "shirt", *variants: e.Variant) -> UUID:
    product_id = uuid4()
    await execute.execute(request(c.CreateProduct(created(*variants, slug=slug)), product_id))
    return product_id


async def test_commands_for_a_product_with_a_long_life_do_not_read_it_all_each_time(
    execute: ExecuteCommand, store: InMemoryEventStore
) -> None:
    product_id = await _product(execute)
    loaded: list[int] = []
    load = store.load

    async def counted(product_id: UUID, known: StreamPlace | None = None) -> Stream:
        stream = await load(product_id, known)
        loaded.append(len(stream.events))
        return stream

    store.load = counted  # type: ignore[method-assign]
    for number in range(100):
        store.session = number  # what was known in another session is only a place to read from
        await execute.execute(request(rename(f"name {number}"), product_id))
    assert loaded == [0] * 100
    answer = await execute.execute(request(rename("last"), product_id, versions_wanted=frozenset([101])))
    assert answer.body == b"102 last shirt"


async def test_a_command_is_loaded_decided_appended_and_rendered(
    execute: ExecuteCommand, store: InMemoryEventStore
) -> None:
    product_id = await _product(execute)
    answer = await execute.execute(request(rename("Sea"), product_id))
    assert (answer.status, answer.body) == (
        200,
        b"2 Sea ocean-blue-shirt".replace(b"ocean-blue-shirt", b"shirt"),
    )
    assert (answer.stream_version, answer.last_position, answer.was_changed) == (2, 2, True)
    (event,) = store.appends[-1].events
    metadata = msgspec.json.decode(event.metadata, type=EventMetadata)
    assert (metadata.event_id, metadata.actor, metadata.correlation_id) == (
        event.event_id,
        "ann",
        "request-1",
    )
    assert metadata.traceparent == "00-aa-bb-01"
    assert metadata.command_id == metadata.causation_id


@pytest.mark.parametrize("idempotency_key", [None, key()], ids=["without a key", "with a key"])
async def test_an_answer_is_rendered_once(
    execute: ExecuteCommand, idempotency_key: IdempotencyKey | None
) -> None:
    product_id, rendered = await _product(execute), 0

    def counting(done: Done) -> tuple[int, bytes]:
        nonlocal rendered
        rendered += 1
        return render(done)

    await execute.execute(Request(rename("Sea"), product_id, CALLER, counting, key=idempotency_key))
    assert rendered == 1


async def test_without_a_change_and_without_a_key_the_store_is_not_written(
    execute: ExecuteCommand, store: InMemoryEventStore
) -> None:
    product_id = await _product(execute)
    answer = await execute.execute(request(rename("Ocean Blue Shirt"), product_id))
    assert (answer.stream_version, answer.last_position, answer.was_changed) == (1, 1, False)
    assert len(store.appends) == 1


class _Rival:
    """Another process that changes the product just before our append, a number of times."""

    def __init__(self, store: InMemoryEventStore, times: int) -> None:
        self._execute, self._store, self.times = execute_command(store), store, times

    async def interfere(self, append: Append) -> None:
        if self.times:
            self.times -= 1
            await self._execute.execute(request(rename(f"rival {self.times}"), append.product_id))
            self._store.before_append = self.interfere


async def test_a_conflict_is_decided_again_on_the_newer_state(
    execute: ExecuteCommand, store: InMemoryEventStore
) -> None:
    product_id = await _product(execute)
    store.before_append = _Rival(store, 3).interfere
    answer = await execute.execute(request(c.PutVariant(LARGE), product_id))
    assert answer.stream_version == 5


async def test_attempts_that_lost_count_as_waiting_of_the_next_one(store: InMemoryEventStore) -> None:
    now, waits = itertools.count(100.0, 5.0), []
    execute = execute_command(store, clock=lambda: next(now))
    product_id = await _product(execute)

    async def another_process_is_faster(append: Append) -> None:
        waits.append(append.waited_seconds)
        if len(waits) < 3:
            await execute_command(store).execute(request(rename(f"{len(waits)}"), product_id))
            store.before_append = another_process_is_faster

    store.before_append = another_process_is_faster
    await execute.execute(request(rename("mine"), product_id))
    assert waits == [0.0, 5.0, 10.0]


async def test_conflicts_without_end_are_bounded_and_tell_the_present_version(
    execute: ExecuteCommand, store: InMemoryEventStore
) -> None:
    product_id = await _product(execute)
    rival = _Rival(store, 10)
    store.before_append = rival.interfere
    with pytest.raises(errors.TooManyConflicts) as refused:
        await execute.execute(request(c.PutVariant(LARGE), product_id))
    assert refused.value.current_version == 5
    assert rival.times == 6


async def test_a_named_version_is_never_decided_again_on_another(
    execute: ExecuteCommand, store: InMemoryEventStore
) -> None:
    product_id = await _product(execute)
    store.before_append = _Rival(store, 1).interfere
    with pytest.raises(errors.VersionDoesNotMatch) as refused:
        await execute.execute(request(rename("x"), product_id, versions_wanted=frozenset([1])))
    assert refused.value.current_version == 2
    with pytest.raises(errors.VersionDoesNotMatch):
        await execute.execute(request(rename("x"), product_id, versions_wanted=frozenset()))
    answer = await execute.execute(request(rename("x"), product_id, versions_wanted=frozenset([1, 2])))
    assert answer.stream_version == 3


async def test_a_deleted_product_is_not_found_whatever_version_was_named(execute: ExecuteCommand) -> None:
    product_id = await _product(execute)
    await execute.execute(request(c.DeleteProduct(), product_id))
    with pytest.raises(errors.ProductNotFound):
        await execute.execute(request(rename("x"), product_id, versions_wanted=frozenset([9])))


async def test_the_same_key_at_the_same_moment_waits_and_gets_the_first_answer(
    execute: ExecuteCommand, store: InMemoryEventStore
) -> None:
    product_id = await _product(execute)
    tasks = [
        asyncio.create_task(execute.execute(request(rename("Sea"), product_id, key=key()))) for _ in range(5)
    ]
    answers = await asyncio.gather(*tasks)
    assert {(answer.status, answer.body, answer.last_position) for answer in answers} == {
        (200, b"2 Sea shirt", 2)
    }
    assert [answer.was_changed for answer in answers] == [True, None, None, None, None]
    assert len(store.appends) == 2


async def test_another_process_that_was_first_with_the_key_gives_the_answer(
    execute: ExecuteCommand, store: InMemoryEventStore
) -> None:
    product_id = await _product(execute)
    other_process = execute_command(store)

    async def be_first(_: Append) -> None:
        await other_process.execute(request(rename("first"), product_id, key=key()))

    store.before_append = be_first
    answer = await execute.execute(request(rename("first"), product_id, key=key()))
    assert (answer.body, answer.stream_version) == (b"2 first shirt", 2)
    assert len(store.appends) == 2


async def test_a_key_with_another_payload_is_refused_also_when_another_process_was_first(
    execute: ExecuteCommand, store: InMemoryEventStore
) -> None:
    product_id = await _product(execute)
    await execute.execute(request(rename("a"), product_id, key=key(1, 1)))
    with pytest.raises(errors.KeyReused):
        await execute.execute(request(rename("b"), product_id, key=key(1, 2)))
    other_process = execute_command(store)

    async def be_first(_: Append) -> None:
        await other_process.execute(request(rename("c"), product_id, key=key(2, 1)))

    store.before_append = be_first
    with pytest.raises(errors.KeyReused):
        await execute.execute(request(rename("d"), product_id, key=key(2, 2)))


async def test_a_refusal_is_not_stored_and_is_decided_again_under_its_key(execute: ExecuteCommand) -> None:
    product_id = await _product(execute)
    with pytest.raises(errors.TransitionNotAllowed):
        await execute.execute(request(c.ArchiveProduct(), product_id, key=key()))
    await execute.execute(request(c.PublishProduct(), product_id))
    answer = await execute.execute(request(c.ArchiveProduct(), product_id, key=key()))
    assert answer.stream_version == 3


async def test_a_no_op_under_a_key_is_stored_and_repeated_when_the_product_has_moved_on(
    execute: ExecuteCommand,
) -> None:
    product_id = await _product(execute)
    quiet = request(rename("Ocean Blue Shirt"), product_id, key=key())
    first = await execute.execute(quiet)
    await execute.execute(request(rename("x"), product_id))
    again = await execute.execute(quiet)
    assert (again.body, again.stream_version, again.last_position) == (first.body, 1, 1)


async def test_a_failed_store_frees_the_key_for_those_who_wait(
    execute: ExecuteCommand, store: InMemoryEventStore
) -> None:
    product_id = await _product(execute)
    store.failure = StoreUnavailable("away")
    tasks = [
        asyncio.create_task(execute.execute(request(rename("x"), product_id, key=key()))) for _ in range(3)
    ]
    assert {type(each) for each in await asyncio.gather(*tasks, return_exceptions=True)} == {StoreUnavailable}
    store.failure = None
    assert (await execute.execute(request(rename("x"), product_id, key=key()))).stream_version == 2


async def test_a_caller_who_hangs_up_leaves_its_key_to_the_next(
    execute: ExecuteCommand, store: InMemoryEventStore
) -> None:
    product_id = await _product(execute)
    is_there, never = asyncio.Event(), asyncio.Event()

    async def hang(_: Append) -> None:
        is_there.set()
        await never.wait()

    store.before_append = hang
    first = asyncio.create_task(execute.execute(request(rename("x"), product_id, key=key())))
    await is_there.wait()
    second = asyncio.create_task(execute.execute(request(rename("x"), product_id, key=key())))
    first.cancel()
    assert (await second).stream_version == 2


async def test_a_generated_slug_that_is_taken_gets_a_suffix_and_the_stored_answer_says_it(
    execute: ExecuteCommand, store: InMemoryEventStore
) -> None:
    await _product(execute)
    product_id = uuid4()
    creation = c.CreateProduct(created(LARGE, slug="shirt"))
    answer = await execute.execute(request(creation, product_id, slug_is_generated=True, key=key()))
    slug = f"shirt-{product_id.hex[-12:]}"
    assert answer.body.endswith(slug.encode())
    assert await store.find_holder(("s", slug)) == product_id
    stored = await store.find_answer(UUID(int=1))
    assert stored is not None
    assert stored.body == answer.body


async def test_a_given_slug_or_a_sku_that_is_taken_is_refused(execute: ExecuteCommand) -> None:
    await _product(execute)
    with pytest.raises(errors.SlugTaken):
        await execute.execute(request(c.CreateProduct(created(LARGE, slug="shirt")), uuid4()))
    taken = request(c.CreateProduct(created(slug="hat")), uuid4(), slug_is_generated=True)
    with pytest.raises(errors.SkuTaken):
        await execute.execute(taken)


async def test_a_product_too_large_to_publish_is_refused_before_it_is_written(
    execute: ExecuteCommand, store: InMemoryEventStore
) -> None:
    huge = created(slug="huge", description="x" * 600_000)
    with pytest.raises(errors.ProductTooLarge):
        await execute.execute(request(c.CreateProduct(huge), uuid4()))
    product_id = await _product(execute)
    # Each change is small; their sum is not.
    for number in range(4):
        variant = e.Variant(f"S-{number}", {"size": "x" * 100_000}, e.Money("1.00", "USD"))
        await execute.execute(request(c.PutVariant(variant), product_id))
    written = len(store.appends)
    variant = e.Variant("S-9", {"size": "x" * 150_000}, e.Money("1.00", "USD"))
    with pytest.raises(errors.ProductTooLarge):
        await execute.execute(request(c.PutVariant(variant), product_id))
    assert len(store.appends) == written


async def test_a_deletion_releases_everything_that_the_product_held(
    execute: ExecuteCommand, store: InMemoryEventStore
) -> None:
    product_id = await _product(execute)
    await execute.execute(request(c.PutVariant(LARGE), product_id))
    await execute.execute(request(c.DeleteProduct(), product_id))
    assert store.appends[-1].releases == {("s", "shirt"), ("k", "OBS-M"), ("k", "OBS-L")}
    assert store.appends[-1].claims == frozenset()
