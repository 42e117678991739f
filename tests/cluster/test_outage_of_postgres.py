"""PostgreSQL goes away under load: readers of hot products notice nothing, nobody loses a Service."""

import time

import pytest

from tests.cluster.conftest import Record
from tests.cluster.installation import Installation
from tests.cluster.kubectl import cluster_ip, kubectl, objects
from tests.cluster.load import Load
from tests.cluster.nothing_lost import must_have_lost_nothing
from tests.cluster.requests import Answer, must_be, new_product, send, write_and_read
from tests.cluster.watches import ReadyEndpoints
from tests.eventually import eventually_blocking

pytestmark = pytest.mark.prove
_OUTAGE_SECONDS = 40.0


def test_reads_that_redis_answers_go_on_and_no_service_is_empty(
    installed: Installation, load: Load, record: Record
) -> None:
    queries, commands = (f"http://{cluster_ip(name)}" for name in ("query-api", "command-api"))
    made = send("POST", f"{commands}/v1/products", new_product())
    hot = f"{queries}/v1/products/{made.json['id']}"
    assert send("GET", hot, token=made.headers["consistency-token"]).status == 200
    eventually_blocking(lambda: _must_be_hit(hot))
    with ReadyEndpoints() as endpoints:
        kubectl("scale", "statefulset/postgres", "--replicas=0")
        eventually_blocking(_postgres_must_be_gone)
        gone_at, hits = load.seconds, list[Answer]()
        while load.seconds < gone_at + _OUTAGE_SECONDS:
            hits.append(send("GET", hot))
            time.sleep(0.1)
        refused = send("POST", f"{commands}/v1/products", new_product())
        back_at = load.seconds
        kubectl("scale", "statefulset/postgres", "--replicas=1")
        address = f"{commands}/v1/products"
        eventually_blocking(lambda: must_be(201, send("POST", address, new_product())), 120)
        written_after = load.seconds - back_at
        eventually_blocking(lambda: must_be(200, write_and_read(commands, queries)), 120)
        read_after = load.seconds - back_at
        installed.wait_until_ready()
    load.stop()
    milliseconds = sorted(round(answer.seconds * 1000, 1) for answer in hits)
    record(
        "PostgreSQL away", hot_reads=len(hits), hot_reads_failed=sum(answer.status != 200 for answer in hits),
        hot_read_median_milliseconds=milliseconds[len(milliseconds) // 2], hot_read_slowest=milliseconds[-1],
        endpoints={name: endpoints.changes[name] for name in ("query-api", "command-api")},
        seconds_until_a_write=round(written_after, 1), seconds_until_a_token_read=round(read_after, 1),
        refused=[refused.status, refused.headers.get("retry-after")], **load.tally.figures(),
    )  # fmt: skip
    assert {answer.status for answer in hits} == {200}
    assert refused.status == 503
    assert "retry-after" in refused.headers
    assert endpoints.fewest("query-api") > 0
    assert endpoints.fewest("command-api") > 0
    assert {each.what.split()[0] for each in load.tally.failed} <= {"503"}, load.tally.figures()
    must_have_lost_nothing(load.tally)


def _must_be_hit(address: str) -> None:
    answer = send("GET", address)
    assert "hit" in answer.headers.get("cache-status", "").split(";", 1)[-1], answer.headers


def _postgres_must_be_gone() -> None:
    assert not objects("pods", "--selector=app.kubernetes.io/name=postgres")
