"""Releases under load: no request fails, and nothing that was acknowledged is lost."""

import pytest

from tests.cluster.conftest import Record
from tests.cluster.installation import PROCESSES, Installation, must_be_settled
from tests.cluster.kubectl import kubectl
from tests.cluster.load import Load
from tests.cluster.nothing_lost import must_have_lost_nothing
from tests.eventually import eventually_blocking

pytestmark = pytest.mark.prove


@pytest.mark.parametrize("process", PROCESSES)
def test_a_rolling_update_fails_no_request(
    installed: Installation, load: Load, process: str, record: Record
) -> None:
    started = load.seconds
    kubectl("rollout", "restart", f"deployment/{process}")
    installed.wait_until_ready()
    eventually_blocking(must_be_settled, 120)
    seconds = load.seconds - started
    load.stop()
    record(f"rolling update of {process}", rollout_seconds=round(seconds, 1), **load.tally.figures())
    load.tally.must_have_no_failure()
    must_have_lost_nothing(load.tally)
