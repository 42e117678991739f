"""A cache that has lost nothing for an hour, as in an installation that has run for long.

In the minute after a loss, and so after the start, documents live for a minute (decision 12): an old one
might be gone before the checker looks.
"""

import time

from redis import Redis

from tests.end_to_end.checks.view_check import Place

_SECONDS = 3600


def settle_cache(place: Place) -> None:
    """When all processes run: before, a projector would take it for documents without a checkpoint."""
    with Redis.from_url(place.redis_url) as redis:
        since = f"{place.prefix}:product-cache:since"
        redis.set(since, int((time.time() - _SECONDS) * 1000))
