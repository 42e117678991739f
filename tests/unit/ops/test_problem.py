"""Every error document has the members of RFC 9457 and ours, and none without a value."""

import json

from shared.ops.http.problem import Problem, problem_body


def test_a_full_problem_has_every_member() -> None:
    problem = Problem(
        status=412,
        code="version-mismatch",
        title="The product has another version.",
        detail="It is at version 4.",
        errors=(("/name", "too-long", "At most 200 characters."),),
        extensions={"current_version": 4},
    )
    body = problem_body(problem, trace_id="t", request_id="r", instance="/v1/products/1")
    assert json.loads(body) == {
        "type": "/problems/version-mismatch",
        "title": "The product has another version.",
        "status": 412,
        "detail": "It is at version 4.",
        "instance": "/v1/products/1",
        "code": "version-mismatch",
        "errors": [{"pointer": "/name", "code": "too-long", "detail": "At most 200 characters."}],
        "trace_id": "t",
        "request_id": "r",
        "current_version": 4,
    }


def test_members_without_a_value_are_left_out() -> None:
    body = problem_body(
        Problem(404, "not-found", "Not found."), trace_id=None, request_id=None, instance=None
    )
    assert json.loads(body) == {
        "type": "/problems/not-found",
        "title": "Not found.",
        "status": 404,
        "code": "not-found",
    }


def test_an_extension_cannot_replace_a_standard_member() -> None:
    problem = Problem(404, "not-found", "Not found.", extensions={"status": 200, "code": "ok"})
    document = json.loads(problem_body(problem, trace_id=None, request_id=None, instance=None))
    assert (document["status"], document["code"]) == (404, "not-found")
