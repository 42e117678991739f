"""How often the caches of this process had the document, from the counters that metrics export."""

from query_api.status.ports import CacheReads
from shared.ops.metrics.declare import Counter
from shared.ops.metrics.local_cache import LOCAL_CACHE_REQUESTS
from shared.ops.metrics.reads import CACHE_REQUESTS


def cache_reads() -> CacheReads:
    """The memory of the process and Redis count as one cache: a miss of the first goes on to the second."""
    near, far = _by_result(LOCAL_CACHE_REQUESTS), _by_result(CACHE_REQUESTS)
    hits = near["hit"] + far["hit"]
    return CacheReads(hits, hits + far["miss"] + far["bypass"])


def _by_result(counter: Counter) -> dict[str, int]:
    return {
        sample.labels["result"]: int(sample.value)
        for metric in counter.collect()
        for sample in metric.samples
    }
