"""What OpenSearch answers to many documents at once: which are accepted, and what the others mean."""

import json
from typing import Any

import pytest

from projector.errors import Refused, Unavailable
from projector.views.search_index.opensearch.answers import Written, read_found, read_written
from projector.views.search_index.opensearch.failures import translated
from projector.views.search_index.opensearch.indexes import (
    BYTES_PER_REQUEST_MAX,
    WRITES_PER_REQUEST_MAX,
    Write,
    requests_of,
)
from shared.search.opensearch.client import OpenSearchRefused, OpenSearchUnavailable


def answer(*statuses: int) -> bytes:
    """Of `_bulk`, with an item for each."""

    def item(status: int) -> dict[str, Any]:
        if status < 300:
            return {"index": {"status": status, "_seq_no": 7, "_primary_term": 1}}
        return {"index": {"status": status, "error": {"type": f"of-{status}", "reason": "why"}}}

    return json.dumps({"errors": True, "items": [item(one) for one in statuses]}).encode()


def test_a_document_that_is_not_newer_is_no_error() -> None:
    assert read_written(answer(201, 409, 200)) == [Written(7, 1), Written(None, None), Written(7, 1)]


def test_a_document_that_does_not_fit_is_refused() -> None:
    with pytest.raises(Refused, match="400 of-400: why"):
        read_written(answer(201, 400, 409))


@pytest.mark.parametrize("status", [403, 404, 429, 500, 503])
def test_a_document_that_may_be_taken_later_holds_all_up_and_none_is_parked(status: int) -> None:
    with pytest.raises(Unavailable, match=f"{status} of-{status}: why"):
        read_written(answer(400, status, 201))


def test_a_document_that_cannot_be_read_now_is_not_absent() -> None:
    docs = [
        {"_index": "i", "_id": "1", "found": False},
        {"_index": "i", "_id": "2", "error": {"type": "away"}},
    ]
    assert read_found(json.dumps({"docs": docs[:1]}).encode()) == {}
    with pytest.raises(Unavailable, match="away"):
        read_found(json.dumps({"docs": docs}).encode())


@pytest.mark.parametrize(
    ("error", "has_values", "raised"),
    [
        (OpenSearchUnavailable("away"), True, Unavailable),
        (OpenSearchRefused(400, "kind", "why"), True, Refused),
        (OpenSearchRefused(413, "kind", "why"), True, Refused),
        (OpenSearchRefused(400, "kind", "why"), False, Unavailable),
        (OpenSearchRefused(401, "kind", "why"), True, Unavailable),
        (OpenSearchRefused(404, "index_not_found_exception", "why"), True, Unavailable),
    ],
)
def test_only_a_request_with_documents_can_be_the_fault_of_one(
    error: Exception, has_values: bool, raised: type[Exception]
) -> None:
    with pytest.raises(raised) as caught, translated(has_values=has_values):
        raise error
    assert type(caught.value) is raised


def write(number: int, text: str = "") -> Write:
    return Write("index", str(number), {"version": number, "version_type": "external"}, {"text": text})


def test_each_request_is_bounded_in_writes_and_bytes_and_none_is_lost() -> None:
    many = [write(number) for number in range(2 * WRITES_PER_REQUEST_MAX + 1)]
    large = [write(number, "x" * 1_500_000) for number in range(5)]
    for writes in (many, large, [], [write(1, "x" * (BYTES_PER_REQUEST_MAX + 1))]):
        requests = list(requests_of(writes))
        assert all(
            request.count(b"\n") <= 2 * WRITES_PER_REQUEST_MAX
            and (len(request) <= BYTES_PER_REQUEST_MAX + 2 * WRITES_PER_REQUEST_MAX or len(writes) == 1)
            for request in requests
        )
        lines = [json.loads(line) for request in requests for line in request.splitlines()]
        assert [line["index"]["_id"] for line in lines[::2]] == [one.key for one in writes]
    assert len(list(requests_of(many))) == 3
    assert len(list(requests_of(large))) == 3
