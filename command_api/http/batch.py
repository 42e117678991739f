"""Up to 1,000 operations in one request: each decided by itself, in order where order can matter.

Operations that name the same product, slug or SKU run one after the other, as given; the others run side by
side, so that they share group commits. One that frees a slug or SKUs without naming them (a delete, a new
slug) is a barrier. A replacement may free SKUs, too: what was refused as taken is tried once more, in order,
when all else is done.
"""

import asyncio
from collections.abc import Sequence
from uuid import UUID

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from command_api.domain.errors import SkuTaken, SlugTaken
from command_api.execute import Answer
from command_api.http.answers import WriteApi
from command_api.http.batch_body import BATCH_BYTES_MAX, NDJSON, read_items
from command_api.http.body import read_body, require_media_type
from command_api.http.headers import batch_token, caller_of, idempotency_key
from command_api.http.operations import Operation, parse_operation, run_operation
from command_api.http.problems import problem_of
from shared.ops.http.problem import problem_body
from shared.ops.logs import get_logger

IN_FLIGHT_MAX = 256
PARSED_PER_TURN_MAX = 20
_log = get_logger(__name__)
Outcome = Answer | Exception


async def run_batch(api: WriteApi, request: Request) -> Response:
    """Run up to 1,000 operations; each has its own result. Not atomic, in order."""
    media_type = require_media_type(request, "application/json", NDJSON)
    items = read_items(media_type, await read_body(request, BATCH_BYTES_MAX))
    caller = caller_of(request)
    keys = [idempotency_key(request, item, index) for index, item in enumerate(items)]
    operations: list[Operation | Exception] = []
    for index, item in enumerate(items):
        if index % PARSED_PER_TURN_MAX == 0:
            await asyncio.sleep(0)  # other requests have their turn between the pieces of a large batch
        try:
            operations.append(parse_operation(item, caller, keys[index]))
        except Exception as error:
            operations.append(error)
    outcomes = await _run_in_order(api, await _resolve(api, operations))
    answers = [outcome for outcome in outcomes if isinstance(outcome, Answer)]
    body = b'{"results":[' + b",".join(_result(request, *each) for each in enumerate(outcomes)) + b"]}"
    headers = {"consistency-token": batch_token(answers, api.partition_count)}
    return Response(body, 207, headers, media_type="application/json")


async def _resolve(api: WriteApi, operations: Sequence[Operation | Exception]) -> list[Operation | Exception]:
    """Let an upsert know the product that its slug names now: it must not overtake one that names its id."""

    async def resolve(operation: Operation | Exception) -> Operation | Exception:
        if isinstance(operation, Exception) or operation.slug is None:
            return operation
        try:
            holder = await api.execute.find_slug(operation.slug)
        except Exception as error:
            return error
        return operation if holder is None else operation.touching(holder)

    return list(await asyncio.gather(*map(resolve, operations)))


async def _run_in_order(api: WriteApi, operations: Sequence[Operation | Exception]) -> list[Outcome]:
    in_flight = asyncio.Semaphore(IN_FLIGHT_MAX)
    last_of: dict[str | UUID, asyncio.Task[Outcome]] = {}
    everything: list[asyncio.Task[Outcome]] = []
    barrier: asyncio.Task[Outcome] | None = None

    async def run(operation: Operation, after: set[asyncio.Task[Outcome]]) -> Outcome:
        if after:
            await asyncio.wait(after)
        async with in_flight:
            return await _attempt(api, operation)

    outcomes: list[Outcome | asyncio.Task[Outcome]] = []
    for operation in operations:
        if isinstance(operation, Exception):
            outcomes.append(operation)
            continue
        after = {last_of[name] for name in operation.touches if name in last_of}
        if operation.is_barrier:
            after = set(everything)
        elif barrier is not None:
            after.add(barrier)
        task = asyncio.create_task(run(operation, after))
        everything.append(task)
        last_of |= dict.fromkeys(operation.touches, task)
        barrier = task if operation.is_barrier else barrier
        outcomes.append(task)
    settled = [await outcome if isinstance(outcome, asyncio.Task) else outcome for outcome in outcomes]
    return await _retry_taken(api, operations, settled)


async def _retry_taken(
    api: WriteApi, operations: Sequence[Operation | Exception], outcomes: list[Outcome]
) -> list[Outcome]:
    for place, (operation, outcome) in enumerate(zip(operations, outcomes, strict=True)):
        if place and isinstance(operation, Operation) and isinstance(outcome, SlugTaken | SkuTaken):
            outcomes[place] = await _attempt(api, operation)
    return outcomes


async def _attempt(api: WriteApi, operation: Operation) -> Outcome:
    try:
        return await run_operation(api.execute, operation)
    except Exception as error:
        return error


def _result(request: Request, index: int, outcome: Outcome) -> bytes:
    if isinstance(outcome, Answer):
        result = {
            "index": index,
            "status": outcome.status,
            "id": outcome.product_id,
            "version": outcome.stream_version,
        }
        if outcome.was_changed is not None:
            result["changed"] = outcome.was_changed
        return msgspec.json.encode(result)
    problem = problem_of(outcome)
    if problem.status == 500:
        _log.error("operation failed", index=index, exc_info=outcome)
    scope = request.scope
    encoded = problem_body(
        problem, trace_id=scope["trace"].trace_id, request_id=scope["request_id"], instance=None
    )
    return msgspec.json.encode({"index": index, "status": problem.status, "problem": msgspec.Raw(encoded)})
