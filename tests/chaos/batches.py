"""A batch: several commands in one request, each with an outcome of its own.

Its operations are about products, SKUs and slugs of their own, so that each event's operation is known.
"""

import itertools
import time
from typing import TYPE_CHECKING, Any, NamedTuple

from tests.chaos import requests
from tests.chaos.command_client import Heard
from tests.chaos.requests import Request
from tests.end_to_end.known import KnownProduct
from tests.end_to_end.ledger import Attempt, Command
from tests.end_to_end.pausing import pause

if TYPE_CHECKING:
    from tests.chaos.writers import Writer

_OPERATIONS_MAX = 8
_UPSERTED_SLUGS = 12
# Half of the batches are parts of imports.
_IMPORT_IDS = ("spring", "autumn", None, None)
_RETRY_SECONDS = (0.05, 1.0)


class Operation(NamedTuple):
    """One operation, and its command in the books."""

    command: Command
    request: Request
    product: KnownProduct | None


async def write_batch(writer: "Writer") -> None:
    """Send it until all operations are settled or given up; without a key it is sent once."""
    books, client, chance = writer.books, writer.client, writer.chance
    name = books.new_name()
    asked = [
        Operation(books.begin(f"{name}[{index}]", request, product, name), request, product)
        for index, (request, product) in enumerate(_choose(writer, name))
    ]
    body = [operation.request.operation for operation in asked]
    import_id = chance.choice(_IMPORT_IDS)
    mark = {} if import_id is None else {"import-id": f"{import_id}-{books.seed}"}
    for number in itertools.count(1):
        request_id = f"{name}.{number}"
        started = time.monotonic()
        heard = await client.send(
            chance, "POST", "/v1/products:batch", body,
            {**writer.headers(name), **mark, "x-request-id": request_id},
        )  # fmt: skip
        sent = (request_id, started, time.monotonic())
        for index, operation in enumerate(asked):
            _settle(writer, operation, index, heard, sent)
        outcomes = {operation.command.attempts[-1].outcome for operation in asked}
        if outcomes <= {"ok", "refused"} or books.giving_up.is_set() or writer.manner == "keyless":
            return
        if "unknown" in outcomes and writer.gives_up:
            return
        await pause(chance.uniform(*_RETRY_SECONDS), books.giving_up)


def _choose(writer: "Writer", name: str) -> list[tuple[Request, KnownProduct | None]]:
    chance, known = writer.chance, writer.books.known
    chosen: dict[str, tuple[Request, KnownProduct | None]] = {}
    for index in range(chance.randint(2, _OPERATIONS_MAX)):
        kind = chance.choices(list(requests.IN_BATCHES), list(requests.IN_BATCHES.values()))[0]
        part, product = f"{name}-{index}", known.choose(chance)
        if kind == "upsert":
            slug = f"chaos-{writer.books.seed}-{chance.randrange(_UPSERTED_SLUGS)}"
            request, product = requests.upsert(slug, part, chance), None
        elif kind == "create" or product is None or product.is_upserted:
            request, product = requests.creation(part, chance), None
        else:
            request = requests.change(kind, product, part, chance)
        chosen.setdefault(request.about, (request, product))
    return list(chosen.values())


def _settle(
    writer: "Writer", operation: Operation, index: int, heard: Heard, sent: tuple[str, float, float]
) -> None:
    """The part of an answer for one operation."""
    command, request, product = operation
    said, result = heard.said, _result(heard, index)
    if result is None:
        outcome = writer.client.outcome(command, heard)
    else:
        said = f"{result['status']} {result['problem']['code']}" if "problem" in result else "200"
        outcome = writer.client.outcome_of(command, said, str(result))
    version = result["version"] if result is not None and outcome == "ok" else None
    first = command.answer
    if first is not None:
        if outcome == "refused" or (outcome == "ok" and version != first.stream_version):
            before = f"{first.said} with version {first.stream_version}"
            writer.books.accuse(command, f"was answered {before}, then {said} with {version}")
        return
    request_id, started, ended = sent
    command.attempts.append(Attempt(request_id, outcome, said, started, ended, version))
    if outcome == "ok" and result is not None and heard.answer is not None:
        token = heard.answer.headers["consistency-token"]
        writer.books.learn(command, request, product, result["id"], token)


def _result(heard: Heard, index: int) -> dict[str, Any] | None:
    if heard.answer is None or heard.answer.status_code != 207:
        return None
    result: dict[str, Any] = heard.answer.json()["results"][index]
    return result
