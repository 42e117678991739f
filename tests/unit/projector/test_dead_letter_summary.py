"""The last line of a retry or discard, and its exit code."""

from argparse import Namespace
from io import StringIO

import pytest

from projector.operators.command_line.dead_letters import _sum_up
from projector.operators.command_line.session import DONE, FAILED, SOME_FAILED
from projector.parking.dead_letters import Summary
from shared.ops.terminal import Terminal


@pytest.mark.parametrize(
    ("summary", "line", "code"),
    [
        (Summary(0, 0, 0), "no matching dead letters", DONE),
        # They were parked while the command ran.
        (Summary(0, 0, 5), "0 retried, 0 failed; matching dead letters parked now: 5", DONE),
        (Summary(2, 0, 0), "2 retried, 0 failed; matching dead letters parked now: 0", DONE),
        (Summary(2, 1, 1), "2 retried, 1 failed; matching dead letters parked now: 1", SOME_FAILED),
        (Summary(2, 0, None, "it is away"), "2 retried, 0 failed", FAILED),
    ],
)
@pytest.mark.parametrize("as_json", [False, True])
def test_a_retry_says_what_became_of_all_beside_its_json_document(
    summary: Summary, line: str, code: int, as_json: bool
) -> None:
    terminal = Terminal(StringIO(), StringIO())
    given = Namespace(action="retry", dry_run=False, json=as_json)
    assert _sum_up(summary, given, terminal) == code
    output, errors = terminal.output.getvalue(), terminal.errors.getvalue()  # type: ignore[attr-defined]
    assert (errors if as_json else output).splitlines()[-1] == line
    assert not as_json or output == ""
    assert ("it is away" in errors) == (summary.stopped_by is not None)
