"""The autoscalers add pods under load, and take them away afterwards, without a failed request."""

import pytest

from tests.cluster.autoscalers import must_have_pods, quick
from tests.cluster.conftest import Record
from tests.cluster.installation import Installation
from tests.cluster.kubectl import cluster_ip
from tests.cluster.load import Load
from tests.cluster.nothing_lost import must_have_lost_nothing
from tests.eventually import eventually_blocking

pytestmark = pytest.mark.prove


def test_more_load_means_more_pods_and_less_load_fewer(
    installed: Installation, tag: str, record: Record
) -> None:
    installed.apply(tag, further={"patches": [quick(name) for name in ("command-api", "query-api")]})
    urls = [f"http://{cluster_ip(name)}" for name in ("command-api", "query-api")]
    with Load(*urls, commands=10, reads=20) as little:
        with Load(*urls, commands=15, reads=90) as much:
            eventually_blocking(lambda: must_have_pods("query-api", at_least=3), 300)
            up_seconds = much.seconds
            installed.wait_until_ready()
        ended_at = little.seconds
        eventually_blocking(lambda: must_have_pods("query-api", at_most=2), 400)
        down_seconds = little.seconds - ended_at
        installed.wait_until_ready()
    record(
        "autoscaling", seconds_until_three_pods=round(up_seconds, 1),
        seconds_until_two_again=round(down_seconds, 1),
        much=much.tally.figures(), little=little.tally.figures(),
    )  # fmt: skip
    for load in (much, little):
        load.tally.must_have_no_failure()
        must_have_lost_nothing(load.tally)
