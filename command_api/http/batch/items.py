"""Splits a batch (a JSON array or NDJSON) into items, each as its own bytes."""

import msgspec

from command_api.http.problems import HttpProblem
from shared.ops.http import json_text
from shared.ops.http.problem import Problem

BATCH_BYTES_MAX = 16 * 1024 * 1024
OPERATIONS_MAX = 1_000
NDJSON = "application/x-ndjson"
_array = msgspec.json.Decoder(list[msgspec.Raw])


def read_items(media_type: str, body: bytes) -> list[bytes]:
    """One element per operation, not yet parsed, so that a bad one fails alone.

    Raises 400 if the body is not an array, 413 if there are too many operations.
    """
    items = _lines(body) if media_type == NDJSON else _elements(body)
    if len(items) > OPERATIONS_MAX:
        detail = f"at most {OPERATIONS_MAX} operations"
        raise HttpProblem(Problem(413, "batch-too-large", "Too many operations", detail))
    return items


def _lines(body: bytes) -> list[bytes]:
    return [line for line in body.split(b"\n") if line.strip()]


def _elements(body: bytes) -> list[bytes]:
    try:
        return [bytes(element) for element in _array.decode(body)]
    except (msgspec.MsgspecError, RecursionError) as error:
        # The array reader also stops at half surrogates; if these are the only error, the item gets a 422.
        try:
            elements = json_text.elements(body)
        except json_text.NotJson as mistake:
            problem = Problem(400, "malformed-json", "The body is not JSON", str(mistake))
            raise HttpProblem(problem) from mistake
        if elements is not None and isinstance(error, msgspec.MsgspecError):
            return elements
        detail = "send an array of operations, not too deeply nested"
        raise HttpProblem(Problem(400, "malformed-batch", "The body is not a batch", detail)) from error
