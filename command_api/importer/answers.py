"""Requests and answers of the batch endpoint: one operation per line, one answer per operation."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Literal

REASON_CHARACTERS_MAX = 2000
SKU_TAKEN = "sku-taken"


@dataclass(frozen=True)
class Operation:
    """One line of the request, with its newline."""

    line: bytes


@dataclass(frozen=True)
class Conflict:
    """A SKU that another product holds. `slug` is the holder's; None if the holder was deleted meanwhile."""

    sku: str
    slug: str | None


@dataclass(frozen=True)
class ItemAnswer:
    """The result of one operation; `changed`, `product_status` and `event_count` are None if the API does not
    give them.
    """

    http_status: int
    product_id: str | None = None
    stream_version: int | None = None
    changed: bool | None = None
    product_status: str | None = None
    event_count: int | None = None
    code: str = ""
    problem: Mapping[str, Any] = field(default_factory=dict)

    @property
    def accepted(self) -> bool:
        return self.http_status < HTTPStatus.BAD_REQUEST and self.product_id is not None

    @property
    def created(self) -> bool:
        return self.http_status == HTTPStatus.CREATED

    @property
    def reason(self) -> str:
        return problem_text(self.problem) if self.problem else f"status {self.http_status}"

    @property
    def conflicts(self) -> tuple[Conflict, ...]:
        """The SKUs that other products hold, if the operation was refused for that reason."""
        conflicts = self.problem.get("conflicts") if self.code == SKU_TAKEN else None
        return tuple(
            Conflict(each["sku"], each["slug"] if isinstance(each.get("slug"), str) else None)
            for each in (conflicts if isinstance(conflicts, list) else [])
            if isinstance(each, dict) and isinstance(each.get("sku"), str)
        )


def upsert(product: dict[str, Any]) -> Operation:
    return _operation({"op": "upsert", "product": product})


def transition(op: Literal["publish", "archive", "restore"], product_id: str) -> Operation:
    return _operation({"op": op, "id": product_id})


def _operation(value: dict[str, Any]) -> Operation:
    # ASCII only: a reader could take U+2028 for the end of a line; and a lone surrogate is sent as the
    # escape that was in the file, so that the API can refuse it.
    return Operation(json.dumps(value, separators=(",", ":"), allow_nan=False).encode("ascii") + b"\n")


def answers_of(body: bytes, count: int) -> list[ItemAnswer] | None:
    """The answers in the order of the operations; None if the body is not an answer to `count` operations."""
    try:
        value: Any = json.loads(body)
    except (ValueError, RecursionError):
        return None
    results = value.get("results") if isinstance(value, dict) else None
    if not isinstance(results, list) or len(results) != count:
        return None
    by_index = {item.get("index"): item for item in results if isinstance(item, dict)}
    if by_index.keys() != set(range(count)):
        return None
    answers = [_answer(by_index[index]) for index in range(count)]
    return None if None in answers else [answer for answer in answers if answer]


def _answer(item: dict[str, Any]) -> ItemAnswer | None:
    status, version, problem = item.get("status"), item.get("version"), item.get("problem")
    product_status = item.get("product_status")
    if not isinstance(status, int):
        return None
    return ItemAnswer(
        http_status=status,
        product_id=item["id"] if isinstance(item.get("id"), str) else None,
        stream_version=version if isinstance(version, int) else None,
        changed=item["changed"] if isinstance(item.get("changed"), bool) else None,
        product_status=product_status if isinstance(product_status, str) else None,
        event_count=item["events"] if isinstance(item.get("events"), int) else None,
        code=str(problem.get("code", "")) if isinstance(problem, dict) else "",
        problem=problem if isinstance(problem, dict) else {},
    )


def problem_text(problem: Mapping[str, Any]) -> str:
    """A problem document (RFC 9457) as one line: its code, its detail, and the error of each field."""
    detail = problem.get("detail")
    parts = [str(detail)] if detail else []
    for error in problem_errors(problem):
        parts.append(f"{error.get('pointer', '')} {error_text(error)}".strip())
    return f"{problem_name(problem)}: {'; '.join(filter(None, parts))}".rstrip(": ")[:REASON_CHARACTERS_MAX]


def problem_name(problem: Mapping[str, Any]) -> str:
    return str(problem.get("code") or problem.get("title") or problem.get("status") or "refused")


def problem_errors(problem: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The field errors of a problem document; entries that are not objects are left out."""
    errors = problem.get("errors")
    return [error for error in errors if isinstance(error, dict)] if isinstance(errors, list) else []


def error_text(error: Mapping[str, Any]) -> str:
    return str(error.get("detail") or error.get("message") or error.get("reason") or "")
