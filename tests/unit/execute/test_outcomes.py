"""Each command counts once, under its kind and its outcome, and each key under what became of it."""

import asyncio
from typing import get_args
from uuid import UUID, uuid4

import pytest

from command_api.domain import commands as c
from command_api.domain import errors
from command_api.executing import outcomes
from command_api.executing.caller import Caller
from command_api.executing.execute import ExecuteCommand
from command_api.executing.ports import Append, OutcomeUnknown, StoreOverloaded, StoreUnavailable
from command_api.executing.request import Done, IdempotencyKey, Request
from shared.ops.metrics.declare import CATALOGUE
from shared.ops.metrics.requests import APPEND_QUEUE, KEY_QUEUE, PRODUCT_QUEUE
from tests.counters import counted
from tests.eventually import eventually
from tests.executing import execute_command
from tests.in_memory_event_store import InMemoryEventStore
from tests.unit.domain.samples import created

CALLER = Caller("ann", "request-1", "00-aa-bb-01")
FIRST, OTHER = IdempotencyKey(UUID(int=1), UUID(int=1)), IdempotencyKey(UUID(int=1), UUID(int=2))


def _request(command: c.Command, product_id: UUID, key: IdempotencyKey | None = None) -> Request:
    return Request(command, product_id, CALLER, _render, key=key)


def _render(done: Done) -> tuple[int, bytes]:
    return 200, str(done.stream_version).encode()


def _counts() -> dict[str, float]:
    results = ("appended", "unchanged", "repeated", "conflict", "refused", "unavailable", "unknown", "failed")
    keys = ("new", "repeated", "mismatch", "waiting")
    return {
        **{result: counted("commands_total", result=result) for result in results},
        **{f"key {result}": counted("idempotency_total", result=result) for result in keys},
    }


def _risen(before: dict[str, float]) -> dict[str, float]:
    return {name: risen for name, now in _counts().items() if (risen := now - before[name])}


@pytest.fixture
def store() -> InMemoryEventStore:
    return InMemoryEventStore()


@pytest.fixture
def execute(store: InMemoryEventStore) -> ExecuteCommand:
    return execute_command(store)


def test_every_command_has_a_name_in_the_metric_and_every_name_a_command() -> None:
    (declared,) = [one for one in CATALOGUE if one.name == "commands_total"]
    assert outcomes._NAMES.keys() == set(get_args(c.Command))
    assert set(outcomes._NAMES.values()) == set(declared.labels[0].values)
    results = {*outcomes._SUCCESSES.values(), *(result for _, result in outcomes._FAILURES)}
    assert results == set(declared.labels[1].values)


async def test_events_no_change_and_a_repeated_answer_are_told_apart(execute: ExecuteCommand) -> None:
    product_id, before = uuid4(), _counts()
    await execute.execute(_request(c.CreateProduct(created()), product_id, FIRST))
    assert _risen(before) == {"appended": 1, "key new": 1}
    before = _counts()
    await execute.execute(_request(c.CreateProduct(created()), uuid4(), FIRST))
    assert _risen(before) == {"repeated": 1, "key repeated": 1}
    before = _counts()
    await execute.execute(_request(c.ChangeDetails({}), product_id))
    assert _risen(before) == {"unchanged": 1}


async def test_a_key_with_another_request_is_a_mismatch(execute: ExecuteCommand) -> None:
    await execute.execute(_request(c.CreateProduct(created()), uuid4(), FIRST))
    before = _counts()
    with pytest.raises(errors.KeyReused):
        await execute.execute(_request(c.CreateProduct(created()), uuid4(), OTHER))
    assert _risen(before) == {"refused": 1, "key mismatch": 1}


async def test_a_second_request_with_a_running_key_waits_and_is_counted(
    execute: ExecuteCommand, store: InMemoryEventStore
) -> None:
    go_on = asyncio.Event()

    async def hold(_: Append) -> None:
        await go_on.wait()

    store.before_append = hold
    before = _counts()
    requests = [_request(c.CreateProduct(created()), uuid4(), FIRST) for _ in range(2)]
    both = asyncio.gather(*map(execute.execute, requests))

    def waits() -> None:
        assert _risen(before) == {"key waiting": 1}

    await eventually(waits)
    go_on.set()
    await both
    assert _risen(before) == {"appended": 1, "repeated": 1, "key new": 1, "key repeated": 1, "key waiting": 1}


@pytest.mark.parametrize("queue", [APPEND_QUEUE, PRODUCT_QUEUE, KEY_QUEUE])
async def test_a_command_that_a_queue_refuses_counts_as_shed_by_that_queue(
    execute: ExecuteCommand, store: InMemoryEventStore, queue: str
) -> None:
    before = counted("http_server_requests_shed_total", reason=queue)
    store.failure = StoreOverloaded(queue, "full")
    with pytest.raises(StoreOverloaded):
        await execute.execute(_request(c.CreateProduct(created()), uuid4()))
    assert counted("http_server_requests_shed_total", reason=queue) == before + 1


async def test_a_taken_sku_is_a_conflict_and_a_missing_product_a_refusal(execute: ExecuteCommand) -> None:
    await execute.execute(_request(c.CreateProduct(created()), uuid4()))
    before = _counts()
    with pytest.raises(errors.SkuTaken):
        await execute.execute(_request(c.CreateProduct(created()), uuid4()))
    with pytest.raises(errors.ProductNotFound):
        await execute.execute(_request(c.DeleteProduct(), uuid4()))
    assert _risen(before) == {"conflict": 1, "refused": 1}


@pytest.mark.parametrize(
    ("failure", "result"),
    [
        (StoreUnavailable(), "unavailable"),
        (StoreOverloaded("append-queue", "full"), "unavailable"),
        (OutcomeUnknown(), "unknown"),
    ],
)
async def test_what_the_store_cannot_do_is_nobodys_refusal(
    execute: ExecuteCommand, store: InMemoryEventStore, failure: StoreUnavailable, result: str
) -> None:
    store.failure, before = failure, _counts()
    with pytest.raises(type(failure)):
        await execute.execute(_request(c.CreateProduct(created()), uuid4()))
    assert _risen(before) == {result: 1}


async def test_a_bug_counts_as_failed(execute: ExecuteCommand) -> None:
    def broken(_: Done) -> tuple[int, bytes]:
        raise RuntimeError("a bug")

    before = _counts()
    with pytest.raises(RuntimeError):
        await execute.execute(Request(c.CreateProduct(created()), uuid4(), CALLER, broken))
    assert _risen(before) == {"failed": 1}
