"""A batch in one request: a result per operation. `executing/batch.py` orders them."""

import asyncio
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from command_api.executing.batch import Operation, Outcome, run_in_order
from command_api.executing.request import Answer
from command_api.http.answers import WriteApi
from command_api.http.batch.items import BATCH_BYTES_MAX, NDJSON, read_items
from command_api.http.batch.operations import parse_operation
from command_api.http.body import read_body, require_media_type
from command_api.http.given import Given
from command_api.http.headers import batch_token, caller_of, idempotency_key
from command_api.http.problems import problem_of
from shared.access.caller import may
from shared.access.scopes import Scope
from shared.ops.http.problem_answer import problem_document
from shared.ops.logs import get_logger

PARSED_PER_TURN_MAX = 20
_log = get_logger(__name__)


class _Status(msgspec.Struct):
    """The part of an answer's body that a result repeats."""

    status: str


_status = msgspec.json.Decoder(_Status)


async def run_batch(api: WriteApi, request: Request) -> Response:
    """Run up to 1,000 operations, in order and not atomic; each has its own result.

    The answers are those of the same operations sent one after the other, wherever they stand: an operation
    waits for each earlier one that may speak of the same product, slug or SKU, and all others run side by
    side. So an operation may take a slug or SKU that an earlier one gives up, never one that a later one
    gives up.
    """
    given = Given.of(request)
    media_type = require_media_type(given, "application/json", NDJSON)
    items = read_items(media_type, await read_body(request, BATCH_BYTES_MAX))
    caller = caller_of(given)
    may_publish = may(request.scope, Scope.PRODUCTS_PUBLISH)
    keys = [idempotency_key(given, item, index) for index, item in enumerate(items)]
    operations: list[Operation | Exception] = []
    for index, item in enumerate(items):
        if index % PARSED_PER_TURN_MAX == 0:
            await asyncio.sleep(0)  # other requests have their turn between the pieces of a large batch
        try:
            operations.append(parse_operation(item, caller, keys[index], may_publish=may_publish))
        except Exception as error:
            operations.append(error)
    outcomes = await run_in_order(api.execute, operations)
    answers = [outcome for outcome in outcomes if isinstance(outcome, Answer)]
    body = b'{"results":[' + b",".join(_result(request, *each) for each in enumerate(outcomes)) + b"]}"
    headers = {"consistency-token": batch_token(answers, api.partition_count)}
    return Response(body, 207, headers, media_type="application/json")


def _result(request: Request, index: int, outcome: Outcome) -> bytes:
    if isinstance(outcome, Answer):
        result: dict[str, Any] = {
            "index": index,
            "status": outcome.status,
            "id": outcome.product_id,
            "version": outcome.stream_version,
        }
        if outcome.body:
            result["product_status"] = _status.decode(outcome.body).status
        if outcome.was_changed is not None:
            result["changed"] = outcome.was_changed
            result["events"] = outcome.event_count
        return msgspec.json.encode(result)
    problem = problem_of(outcome)
    if problem.status == 500:
        _log.error("operation failed", index=index, exc_info=outcome)
    encoded = problem_document(request.scope, problem, instance=None)
    return msgspec.json.encode({"index": index, "status": problem.status, "problem": msgspec.Raw(encoded)})
