"""A process decides on the state that it knows; answers are the same as if it had asked the log."""

from collections import Counter
from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import pytest

from command_api.domain import commands as c
from command_api.domain import errors
from command_api.executing.caller import Caller
from command_api.executing.execute import ExecuteCommand
from command_api.executing.request import Answer, Done, IdempotencyKey, Request
from tests.executing import execute_command
from tests.in_memory_event_store import InMemoryEventStore
from tests.unit.domain.samples import created


class CountingStore(InMemoryEventStore):
    """Counts the exchanges with the store."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: Counter[str] = Counter()

    def __getattribute__(self, name: str) -> Any:
        if name in {"load", "append", "find_answer"}:
            self.asked[name] += 1
        return super().__getattribute__(name)


@pytest.fixture
def store() -> CountingStore:
    return CountingStore()


@pytest.fixture
def execute(store: CountingStore) -> ExecuteCommand:
    return execute_command(store)


async def _product(execute: ExecuteCommand, slug: str = "shirt") -> UUID:
    product_id = uuid4()
    await execute.execute(_request(c.CreateProduct(created(slug=slug)), product_id))
    return product_id


def _request(command: c.Command, product_id: UUID, key: int | None = None, **more: Any) -> Request:
    idempotency_key = (
        None if key is None else IdempotencyKey(UUID(int=key), UUID(int=hash(repr(command)) % 2**64))
    )
    return Request(
        command, product_id, Caller("ann", "request-1", None), _render, key=idempotency_key, **more
    )


def _render(done: Done) -> tuple[int, bytes]:
    return 200, f"{done.stream_version} {done.product.name} {done.product.status}".encode()


def _rename(name: str) -> c.ChangeDetails:
    return c.ChangeDetails({"name": name})


@pytest.mark.parametrize("key", [None, 1])
async def test_a_command_for_a_product_that_this_process_has_changed_last_is_one_exchange(
    execute: ExecuteCommand, store: CountingStore, key: int | None
) -> None:
    product_id = await _product(execute)
    store.asked.clear()
    answer = await execute.execute(_request(_rename("Sea"), product_id, key))
    assert (answer.stream_version, store.asked) == (2, Counter(append=1))


async def test_another_process_s_change_is_seen(execute: ExecuteCommand, store: CountingStore) -> None:
    product_id = await _product(execute)
    await execute_command(store).execute(_request(_rename("Theirs"), product_id))
    answer = await execute.execute(_request(c.PublishProduct(), product_id))
    assert answer.body == b"3 Theirs active"


async def test_what_another_process_has_changed_back_is_no_change_on_the_old_state_only(
    execute: ExecuteCommand, store: CountingStore
) -> None:
    """On the state that is known here nothing would change, and nothing would be written."""
    product_id = await _product(execute)
    await execute.execute(_request(_rename("Sea"), product_id))
    await execute_command(store).execute(_request(_rename("Sky"), product_id))
    answer = await execute.execute(_request(_rename("Sea"), product_id))
    assert (answer.body, answer.was_changed) == (b"4 Sea draft", True)


async def test_a_refusal_is_that_of_the_log(execute: ExecuteCommand, store: CountingStore) -> None:
    """A draft cannot be archived; another process has published it."""
    product_id = await _product(execute)
    with pytest.raises(errors.TransitionNotAllowed):
        await execute.execute(_request(c.ArchiveProduct(), product_id))
    await execute_command(store).execute(_request(c.PublishProduct(), product_id))
    answer = await execute.execute(_request(c.ArchiveProduct(), product_id))
    assert answer.body == b"3 Ocean Blue Shirt archived"


@pytest.mark.parametrize(
    "changes",
    [
        lambda: [c.DeleteProduct()],
        lambda: [_rename("Sea")],
        lambda: [_rename("Sea"), _rename("Sky")],
        lambda: [c.PublishProduct(), c.ArchiveProduct()],
    ],
    ids=["it would be refused", "nothing would change", "it would change again", "another refusal"],
)
async def test_a_repeated_key_gets_its_first_answer(
    execute: ExecuteCommand, changes: Callable[[], list[c.Command]]
) -> None:
    product_id = await _product(execute)
    first, *others = changes()
    answer = await execute.execute(_request(first, product_id, key=1))
    for other in others:
        await execute.execute(_request(other, product_id))
    again = await execute.execute(_request(first, product_id, key=1))
    assert again == Answer(*_but_for_change(answer))


async def test_a_key_of_another_request_is_refused(execute: ExecuteCommand) -> None:
    product_id = await _product(execute)
    await execute.execute(_request(_rename("Sea"), product_id, key=1))
    with pytest.raises(errors.KeyReused):
        await execute.execute(_request(_rename("Sky"), product_id, key=1))


async def test_a_version_that_the_caller_names_is_compared_with_that_of_the_log(
    execute: ExecuteCommand, store: CountingStore
) -> None:
    product_id = await _product(execute)
    await execute_command(store).execute(_request(_rename("Theirs"), product_id))
    with pytest.raises(errors.VersionDoesNotMatch):
        await execute.execute(_request(_rename("Mine"), product_id, versions_wanted=frozenset({1})))
    answer = await execute.execute(_request(_rename("Mine"), product_id, versions_wanted=frozenset({2})))
    assert answer.stream_version == 3


async def test_after_the_log_went_another_way_a_command_decides_on_the_new_log(
    execute: ExecuteCommand,
) -> None:
    """A backup was restored under a running process: the same versions, with other events."""
    product_id = await _product(execute)
    await execute.execute(_request(_rename("Lost"), product_id))
    restored = CountingStore()
    other = execute_command(restored)
    await other.execute(_request(c.CreateProduct(created(slug="shirt")), product_id))
    await other.execute(_request(_rename("Kept"), product_id))
    restored.session = "second"
    execute._store = restored
    answer = await execute.execute(_request(c.PublishProduct(), product_id))
    assert answer.body == b"3 Kept active"


async def test_a_log_that_goes_another_way_between_decision_and_append_refuses_it(
    execute: ExecuteCommand, store: CountingStore
) -> None:
    product_id = await _product(execute)

    async def connection_is_lost(_: object) -> None:
        store.session = "second"

    store.before_append = connection_is_lost
    store.asked.clear()
    answer = await execute.execute(_request(_rename("Sea"), product_id))
    assert answer.stream_version == 2
    assert store.asked == Counter(append=2, load=1)


def _but_for_change(answer: Answer) -> tuple[int, bytes, UUID, int, int]:
    """A repeated answer does not say whether something was changed."""
    return answer.status, answer.body, answer.product_id, answer.stream_version, answer.last_position
