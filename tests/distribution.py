"""Which worker runs which tests: whole files, the slowest first, so that no worker ends long after the other.

Each worker has servers of its own, so a test that breaks one disturbs nobody.
"""

from collections.abc import Sequence
from typing import Any

import pytest
from xdist.scheduler import LoadFileScheduling

END_TO_END = "tests/end_to_end/"
# Seconds alone on a machine with two cores (`python -m tests.durations` prints this table). Only their order
# matters. Files below ten seconds are not here: they fill what the others leave.
SECONDS_BY_FILE: dict[str, float] = {}


def scope_of(nodeid: str) -> str:
    """What one worker runs as a whole: a file, or all tests that share the end-to-end installation."""
    return END_TO_END if nodeid.startswith(END_TO_END) else nodeid.split("::", 1)[0]


def slowest_first(items: Sequence[pytest.Item]) -> list[pytest.Item]:
    """Scopes by their seconds; within a scope, and among those without seconds, the order stays."""
    seconds: dict[str, float] = {}
    for file, file_seconds in SECONDS_BY_FILE.items():
        seconds[scope_of(file)] = seconds.get(scope_of(file), 0) + file_seconds
    return sorted(items, key=lambda item: -seconds.get(scope_of(item.nodeid), 0))


class SlowestFirst(LoadFileScheduling):  # type: ignore[misc]
    """Hands out scopes in the order in which `slowest_first` has put them."""

    def __init__(self, config: pytest.Config, log: Any) -> None:
        super().__init__(config, log)
        config.option.loadscopereorder = False  # it would begin with the file that has the most tests

    def _split_scope(self, nodeid: str) -> str:
        return scope_of(nodeid)
