"""The batch endpoint's language: one operation a line, one answer an item (API.md, section 3)."""

import json
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Literal

REASON_CHARACTERS_MAX = 2000


@dataclass(frozen=True)
class Operation:
    """One line of the request, its newline included."""

    line: bytes


@dataclass(frozen=True)
class ItemAnswer:
    """What became of one operation; `changed` is None where the API does not tell."""

    http_status: int
    product_id: str | None = None
    stream_version: int | None = None
    changed: bool | None = None
    code: str = ""
    reason: str = ""

    @property
    def accepted(self) -> bool:
        return self.http_status < HTTPStatus.BAD_REQUEST and self.product_id is not None

    @property
    def created(self) -> bool:
        return self.http_status == HTTPStatus.CREATED


def upsert(product: dict[str, Any]) -> Operation:
    return _operation({"op": "upsert", "product": product})


def transition(op: Literal["publish", "archive", "restore"], product_id: str) -> Operation:
    return _operation({"op": op, "id": product_id})


def _operation(value: dict[str, Any]) -> Operation:
    # ASCII only: no U+2028 that a reader might take for a line's end, and a lone surrogate arrives
    # as the escape it was, for the API to refuse.
    return Operation(json.dumps(value, separators=(",", ":"), allow_nan=False).encode("ascii") + b"\n")


def answers_of(body: bytes, count: int) -> list[ItemAnswer] | None:
    """The answers in the order of the operations; None where this is not an answer to `count` of them."""
    try:
        value: Any = json.loads(body)
    except ValueError:
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
    if not isinstance(status, int):
        return None
    return ItemAnswer(
        http_status=status,
        product_id=item["id"] if isinstance(item.get("id"), str) else None,
        stream_version=version if isinstance(version, int) else None,
        changed=item["changed"] if isinstance(item.get("changed"), bool) else None,
        code=str(problem.get("code", "")) if isinstance(problem, dict) else "",
        reason=problem_text(problem) if isinstance(problem, dict) else f"status {status}",
    )


def problem_text(problem: dict[str, Any]) -> str:
    """A problem of RFC 9457 as one line: code, detail, and what is wrong with each field."""
    parts = [str(problem.get("code") or problem.get("title") or problem.get("status") or "refused")]
    detail = problem.get("detail")
    parts += [str(detail)] if detail else []
    errors = problem.get("errors")
    for error in errors if isinstance(errors, list) else []:
        if isinstance(error, dict):
            said = error.get("detail") or error.get("message") or error.get("reason") or ""
            parts.append(f"{error.get('pointer', '')} {said}".strip())
    return ": ".join([parts[0], "; ".join(part for part in parts[1:] if part)]).rstrip(": ")[
        :REASON_CHARACTERS_MAX
    ]
