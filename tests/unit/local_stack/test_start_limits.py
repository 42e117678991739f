"""How long `make up` waits for a process that may have to make its search index first."""

import pytest

from deploy.local.settings import PROCESSES

MINUTES_FOR_AN_INDEX_MIN = 10


@pytest.mark.parametrize("process", ["query-api", "projector"])
def test_a_process_that_makes_an_index_is_not_given_up_after_a_minute(process: str) -> None:
    assert PROCESSES[process].ready_seconds_max >= MINUTES_FOR_AN_INDEX_MIN * 60
