"""Events that wait for a projection, and an autoscaler that follows them."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from deploy.development_token import token
from tests.cluster.autoscalers import forget_events, must_have_pods, must_have_scaled_for, seen
from tests.cluster.conftest import Record
from tests.cluster.installation import Installation
from tests.cluster.kubectl import cluster_ip, kubectl
from tests.cluster.load import Load
from tests.cluster.nothing_lost import must_have_lost_nothing
from tests.cluster.requests import must_be, new_product, send
from tests.eventually import eventually_blocking

_PROJECTION = "product_view"
# For two projectors 1,000 each is enough; these make a third one.
EVENTS_FOR_A_THIRD = 2_600
_BATCH = 650
_SECONDS_MAX = 300.0


def must_follow_lag(
    installed: Installation, record: Record, program: str, autoscaler: str, metric: str
) -> None:
    """More projectors while events wait, fewer afterwards, and no request failed."""
    urls = [f"http://{cluster_ip(name)}" for name in ("command-api", "query-api")]
    eventually_blocking(lambda: seen(autoscaler, "External"), _SECONDS_MAX)
    eventually_blocking(lambda: must_have_pods("projector", at_least=2, at_most=2), _SECONDS_MAX)
    forget_events(autoscaler)
    # No read waits for its write: product_view does not go on.
    with Load(*urls, commands=2, reads=8, token_reads=0) as load:
        with lag_of(EVENTS_FOR_A_THIRD):
            began_at = load.seconds
            eventually_blocking(lambda: must_have_pods("projector", at_least=3), _SECONDS_MAX)
            up_seconds = load.seconds - began_at
            lag = seen(autoscaler, "External")
            installed.wait_until_ready()
        ended_at = load.seconds
        eventually_blocking(lambda: must_have_pods("projector", at_most=2), _SECONDS_MAX)
        down_seconds = load.seconds - ended_at
        installed.wait_until_ready()
    record(
        f"autoscaling on lag, {program}",
        seconds_until_three_pods=round(up_seconds, 1), seconds_until_two_again=round(down_seconds, 1),
        seen=lag, new_size=must_have_scaled_for(autoscaler, metric), **load.tally.figures(),
    )  # fmt: skip
    load.tally.must_have_no_failure()
    must_have_lost_nothing(load.tally)


@contextmanager
def lag_of(events: int) -> Iterator[None]:
    """An operator pauses product_view; so many events wait for it inside the block; afterwards it goes on."""
    commands, queries = (f"http://{cluster_ip(name)}" for name in ("command-api", "query-api"))
    _projector("pause", "--reason", "trial", _PROJECTION)
    try:
        # A projector learns of the order a moment later.
        eventually_blocking(lambda: _must_stand_still(commands, queries), 120)
        while (waiting := _lag()) < events:
            _make_products(commands, min(_BATCH, events - waiting))
        yield
    finally:
        _projector("resume", "--reason", "trial", _PROJECTION)


def _must_stand_still(commands: str, queries: str) -> None:
    """A list does not see the newest write."""
    made = send("POST", f"{commands}/v1/products", new_product())
    must_be(201, made)
    newest = made.headers["consistency-token"]
    must_be(503, send("GET", f"{queries}/v1/products?limit=1", token=newest, wait_seconds=2))


def _make_products(commands: str, count: int) -> None:
    """Each is one event."""
    batch = [{"op": "create", "product": new_product()} for _ in range(count)]
    answer = send("POST", f"{commands}/v1/products:batch", batch)
    must_be(207, answer)
    refused = [one for one in answer.json["results"] if one["status"] != 201]
    assert not refused, refused[:3]


def _lag() -> int:
    status: Any = json.loads(_projector("status", "--json"))
    (one,) = (each for each in status["projections"] if each["projection"] == _PROJECTION)
    events: int = one["lag_events"]
    return events


def _projector(*order: str) -> str:
    return kubectl(
        "exec", "--stdin", "deployment/projector", "--container=projector", "--",
        "python", "-m", "projector", order[0], "--token-file", "-", *order[1:],
        given=token("ops:read ops:write"),
    )  # fmt: skip
