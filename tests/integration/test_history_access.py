"""Who sees which past: with tokens, over HTTP."""

from typing import Any

import httpx
import pytest

from shared.contract import events as e
from tests.integration.history_world import ALL, AUDITOR, EDITOR, READER, PastWorld, guarded_past
from tests.integration.query_world import token_for
from tests.past_events import created, priced

__all__ = ["guarded_past"]

pytestmark = pytest.mark.servers
DRAFT = (created(), priced("9.00"))
ACTIVE = (*DRAFT, e.ProductPublished(), priced("8.00"))
ARCHIVED = (*ACTIVE, e.ProductArchived())
DELETED = (*ARCHIVED, e.ProductDeleted())
PASTS: list[tuple[str, dict[str, Any]]] = [
    ("", {"version": 3}), ("", {"as_of": "2026-01-04T00:00:00Z"}), ("/history", {}),
    ("/diff", {"from": 3, "to": 4}), ("/price-history", {}),
    ("/lowest-price", {"before": "2026-01-05T00:00:00Z"}),
]  # fmt: skip


@pytest.mark.parametrize(
    ("history", "seeing"),
    [
        (ACTIVE, {"reader", "editor", "auditor", "all"}), (ARCHIVED, {"editor", "all"}),
        (DELETED, {"auditor", "all"}),
    ],
    ids=["active", "archived", "deleted"],
)  # fmt: skip
async def test_the_past_is_as_hidden_as_the_product(
    guarded_past: PastWorld, history: tuple[e.ProductEvent, ...], seeing: set[str]
) -> None:
    product_id = await guarded_past.happened(*history)
    callers = {"reader": READER, "editor": EDITOR, "auditor": AUDITOR, "all": ALL}
    for what, parameters in PASTS:
        for name, headers in callers.items():
            answer = await guarded_past.get(product_id, what, headers, **parameters)
            assert answer.status_code == (200 if name in seeing else 404), (what, name, answer.text)
            if name in seeing:
                assert "private" in answer.headers["cache-control"]


async def test_a_version_that_was_a_draft_needs_the_scope_for_drafts(guarded_past: PastWorld) -> None:
    product_id = await guarded_past.happened(*ACTIVE)
    for headers, status in ((EDITOR, 200), (READER, 404), (AUDITOR, 404)):
        for what, parameters in (
            ("", {"version": 2}), ("", {"as_of": "2026-01-02T00:00:00Z"}), ("/diff", {"from": 2}),
            ("/diff", {"from": "2026-01-02T00:00:00Z"}),
        ):  # fmt: skip
            answer = await guarded_past.get(product_id, what, headers, **parameters)
            assert answer.status_code == status, (what, answer.text)


def _told(answer: httpx.Response) -> Any:
    body = {
        name: value
        for name, value in answer.json().items()
        if name not in ("trace_id", "request_id", "instance")
    }
    return answer.status_code, body


async def test_a_hidden_version_is_answered_like_one_that_never_was(guarded_past: PastWorld) -> None:
    product_id, hidden = await guarded_past.happened(*ACTIVE), await guarded_past.happened(*DRAFT)
    for parameters in ({"version": 2}, {"version": 99}):
        was_draft = await guarded_past.get(product_id, "", READER, version=2)
        assert _told(was_draft) == _told(await guarded_past.get(product_id, "", READER, **parameters))
    for what, parameters in PASTS:
        never = await guarded_past.query.served.get(
            f"/v1/products/01920000-0000-7000-8000-000000000000{what}", params=parameters, headers=READER
        )
        draft = await guarded_past.get(hidden, what, READER, **parameters)
        assert (_told(draft), draft.status_code) == (_told(never), 404)


async def test_only_who_may_audit_learns_who_it_was(guarded_past: PastWorld) -> None:
    product_id = await guarded_past.happened(*ACTIVE)
    for headers, actors in ((READER, {None}), (EDITOR, {None}), (AUDITOR, {"ann"}), (ALL, {"ann"})):
        page = (await guarded_past.get(product_id, "/history", headers)).json()
        assert {item["actor"] for item in page["items"]} == actors


async def test_a_token_of_a_write_opens_nothing(guarded_past: PastWorld) -> None:
    product_id = await guarded_past.happened(*DRAFT)
    headers = {**READER, "consistency-token": token_for(product_id, 1, 1)}
    assert (await guarded_past.get(product_id, "/history", headers)).status_code == 404


async def test_without_a_token_nobody_sees_any_past(guarded_past: PastWorld) -> None:
    product_id = await guarded_past.happened(*ACTIVE)
    for what, parameters in PASTS:
        assert (await guarded_past.get(product_id, what, **parameters)).status_code == 401
