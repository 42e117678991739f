"""The product has each guard that a run can remove, and the checker finds the damage without it."""

import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest

from tests.chaos.breaks import BREAKS, CONTROL
from tests.end_to_end.checker import problems
from tests.end_to_end.checks.mails import problems as mail_problems
from tests.end_to_end.mail_evidence import HISTORY, WRONG_MAILS, mails
from tests.end_to_end.reader_answers import asked, shown
from tests.end_to_end.readers import judge
from tests.end_to_end.sound_evidence import clients, sound
from tests.end_to_end.system import REPOSITORY
from tests.end_to_end.wrong_evidence import FAULTS, LIES, written_twice

_INSTALL_ALL = "from tests.chaos.broken_process import INSTALL\nfor install in INSTALL.values(): install()"
Found = tuple[str, list[str]]
"""The expected text of the checker, and the actual one."""


def fault(name: str) -> Found:
    said, break_it = FAULTS[name]
    evidence = sound()
    break_it(evidence)
    return said, problems(evidence, clients())


def lie(name: str) -> Found:
    said, tell_it = LIES[name]
    commands = clients()
    tell_it(commands)
    return said, problems(sound(), commands)


def wrong_mail(name: str) -> Found:
    said, break_it = WRONG_MAILS[name]
    seen, parked = mails(), list[Any]()
    break_it(seen, parked)
    return said, list(mail_problems(HISTORY, seen, parked))


def wrong_read() -> Found:
    problem = judge(asked(version=3), shown(2), may_be_gone=False)
    return "acknowledged with version 3 and shown with 2", [problem or ""]


def counted_twice() -> Found:
    evidence = sound()
    (changes,) = evidence.views["analytics"]["changes"].values()
    changes["products_created"] += 1
    return "changes of ", problems(evidence, clients())


LEFT_BEHIND: dict[str, Callable[[], Found]] = {
    "no-cas": lambda: fault("a row's price is wrong"),
    "no-row-guard": lambda: fault("a row's document is old"),
    "no-comparison": counted_twice,
    "no-redis-guard": lambda: fault("a cached version is old"),
    "no-cache-checkpoint": lambda: fault("a cached version is old"),
    "no-idempotency": lambda: ("left 2 events", problems(*written_twice())),
    "no-read-back": lambda: lie("a promise of nothing was broken"),
    "cursor-first": lambda: fault("a record is missing"),
    "no-token": wrong_read,
    "no-known-version": lambda: lie("a command took effect on another version"),
    "no-last-event": lambda: fault("a cached document is old"),
    "no-tail-floor": lambda: fault("a row's document is old"),
    "no-claim": lambda: wrong_mail("a mail came twice"),
}


def test_every_guard_is_still_where_it_is_taken_away() -> None:
    """In a process of its own, which cannot be used afterwards."""
    run = subprocess.run(
        [sys.executable, "-c", _INSTALL_ALL], cwd=REPOSITORY, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr


def test_of_every_guard_it_is_known_what_its_absence_leaves_behind() -> None:
    assert LEFT_BEHIND.keys() | {CONTROL} == BREAKS.keys()


@pytest.mark.parametrize("guard", LEFT_BEHIND)
def test_the_checker_sees_what_a_missing_guard_leaves_behind(guard: str) -> None:
    said, found = LEFT_BEHIND[guard]()
    assert any(said in problem for problem in found), found
