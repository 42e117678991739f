"""The writers know every 503 of a command, and report any other answer that the contract does not have."""

import pytest

from command_api.executing import ports
from command_api.http.problems import EXPECTED_ERRORS, problem_of
from shared.ops.metrics.requests import KEY_QUEUE, PRODUCT_QUEUE
from tests.chaos.books import Books
from tests.chaos.command_client import CommandClient
from tests.end_to_end.ledger import OUTCOMES_OF_503, Command, Outcome

_ERRORS = {
    ports.StoreUnavailable("away"): "not-written",
    ports.StoreOverloaded(PRODUCT_QUEUE, "busy"): "not-written",
    ports.KeyInUse(KEY_QUEUE, "busy"): "not-written",
    ports.OutcomeUnknown("cut"): "unknown",
}


@pytest.fixture
def books() -> Books:
    return Books(seed=1)


@pytest.mark.parametrize(("error", "outcome"), _ERRORS.items(), ids=lambda each: type(each).__name__)
def test_a_503_of_the_api_tells_whether_its_request_wrote(
    books: Books, error: Exception, outcome: Outcome
) -> None:
    problem = problem_of(error)
    command = Command("c1-1", "price", None)
    heard = CommandClient([], books).outcome_of(command, f"{problem.status} {problem.code}", "")
    assert heard == outcome
    assert books.wrong == []


def test_every_error_of_the_ports_is_known() -> None:
    of_ports = {error for error in EXPECTED_ERRORS if error.__module__ == ports.__name__}
    assert of_ports == {type(error) for error in _ERRORS}
    assert {problem_of(error).code for error in _ERRORS} == OUTCOMES_OF_503.keys()


@pytest.mark.parametrize("said", ["500 internal-error", "503 asleep", "503 without-a-problem-document"])
def test_any_other_failure_is_wrong(books: Books, said: str) -> None:
    assert CommandClient([], books).outcome_of(Command("c1-1", "price", None), said, "no") == "unknown"
    assert books.wrong
