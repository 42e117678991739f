"""Shared parts of the write endpoints: their dependencies, ids and SKUs of requests, and bodies of
success.
"""

from dataclasses import dataclass

import msgspec
from pydantic import TypeAdapter, ValidationError

from command_api.executing.execute import ExecuteCommand
from command_api.executing.request import Done
from command_api.http import names
from command_api.http.problems import HttpProblem
from command_api.import_runs import ImportRuns
from shared.contract import events as e
from shared.ops.http.plain_errors import plain_text
from shared.ops.http.problem import Problem

_encode = msgspec.json.Encoder().encode
_sku: TypeAdapter[str] = TypeAdapter(names.Sku)


@dataclass(frozen=True, slots=True)
class WriteApi:
    """The dependencies of the routes. `read_url` is the address of reads, for Location."""

    execute: ExecuteCommand
    read_url: str
    partition_count: int
    imports: ImportRuns


def render_ok(done: Done) -> tuple[int, bytes]:
    """200 with the product's id, version, status and slug."""
    return 200, result_body(done)


def render_created(done: Done) -> tuple[int, bytes]:
    """201 with the same body."""
    return 201, result_body(done)


def render_put(done: Done) -> tuple[int, bytes]:
    """201 if the variant is new, 200 if it existed."""
    return (201 if any(isinstance(event, e.VariantAdded) for event in done.events) else 200), result_body(
        done
    )


def render_gone(_: Done) -> tuple[int, bytes]:
    """204: after a deletion there is nothing to describe."""
    return 204, b""


def result_body(done: Done) -> bytes:
    """The body of every 200 and 201."""
    return _encode(
        {
            "id": done.product_id,
            "version": done.stream_version,
            "status": done.product.status,
            "slug": done.product.slug,
        }
    )


def checked_sku(sku: bytes) -> str:
    """A SKU that a variant may get, in normal form. Raises 422."""
    try:
        return _sku.validate_python(sku.decode())
    except (UnicodeDecodeError, ValidationError) as error:
        detail = (
            plain_text(error.errors()[0]) if isinstance(error, ValidationError) else "a SKU is UTF-8 text"
        )
        raise HttpProblem(Problem(422, "validation-failed", "The SKU is not valid", detail)) from error
