"""Buckets in Redis, taken from by one script: one round trip, and no two processes take the same request."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.resources import files

from redis.exceptions import RedisError

from shared.ops.error_text import named
from shared.ops.logs import get_logger
from shared.rate_limits.ports import BucketsUnavailable, Taken, Wanted
from shared.redis.cluster.client import ClusterRedis
from shared.redis.cluster.direct import ClusterCalls
from shared.redis.direct_calls import DirectCalls
from shared.redis.direct_script import DirectScript, script_name
from shared.redis.errors import is_transient

_script = files("shared.rate_limits").joinpath("take.lua").read_bytes()
_log = get_logger(__name__)


class RedisBuckets:
    """Adapter of `SharedBuckets`. Keys are `<prefix>:limit:<key>`; a full bucket's key is gone by itself."""

    def __init__(self, calls: DirectCalls, *, prefix: str) -> None:
        self._take = DirectScript(calls, _script)
        self._start = f"{prefix}:limit:"

    async def take(self, wanted: Sequence[Wanted]) -> Taken:
        keys = [self._start + each.key for each in wanted]
        with _translated():
            now_us, *full_at_us = await self._take(
                keys, [part for each in wanted for part in _arguments(each)]
            )
        return Taken(int(now_us), [int(each) for each in full_at_us])


class ClusterBuckets:
    """The same on a cluster: every bucket is taken from at its node, and all moments are by one clock."""

    def __init__(self, redis: ClusterRedis, calls: ClusterCalls, *, prefix: str) -> None:
        redis.register_script(_script)  # a node that does not know it gets it with the first call
        self._calls = calls
        self._script_name = script_name(_script)
        self._start = f"{prefix}:limit:"

    async def take(self, wanted: Sequence[Wanted]) -> Taken:
        with _translated():
            answers = await self._calls(
                [
                    ("EVALSHA", self._script_name, 1, self._start + each.key, *_arguments(each))
                    for each in wanted
                ]
            )
        return by_one_clock([(int(now_us), int(full_at_us)) for now_us, full_at_us in answers])


def by_one_clock(answers: Sequence[tuple[int, int]]) -> Taken:
    """(its time, the moment) of each node, as if the first node had told them all."""
    now_us = answers[0][0]
    return Taken(now_us, [full_at_us - then_us + now_us for then_us, full_at_us in answers])


def _arguments(wanted: Wanted) -> tuple[int, int, int]:
    _, budget, requests = wanted
    return (budget.interval_us, budget.burst_max, requests)


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except Exception as error:
        if not is_transient(error):
            if not isinstance(error, RedisError):
                raise
            _log.error("rate limits are refused by Redis", error=named(error))
        raise BucketsUnavailable(named(error)) from error
