"""Makes a view that is missing, in the running projector: the same rebuild as an operator's, without
comparison.

A new installation, a release with other fields and a lost index need no command. Several processes may try:
the lock of the rebuild lets one work, and another goes on where it ended.
"""

import sys

from projector.errors import RebuildIsLocked
from projector.rebuild.rebuild import OfAnotherRelease, Reporter, Wanted, lock_of, rebuild_of
from projector.rebuild.rebuilding import Rebuilding
from projector.stores import Stores
from shared.ops.logs import get_logger

# A projector has less memory than the job of an operator.
_PRODUCTS_IN_MEMORY_MAX = 10_000
_QUIET = Reporter(lambda phase, detail: None, lambda events: None, lambda total: None)
_log = get_logger(__name__)


async def build(projection: Rebuilding, stores: Stores) -> None:
    """Until it is live, or another process is at it. Raises `Unavailable`, `CannotGoOn`."""
    settings = stores.settings
    wanted = Wanted(
        workers=1,
        products_in_memory_max=min(_PRODUCTS_IN_MEMORY_MAX, settings.rebuild_products_in_memory_max),
        accepts_differences=False,
        compares=False,
        switches=True,
        # The live view cannot catch up before it is there.
        live_lag_events_max=sys.maxsize,
        live_wait_seconds_max=settings.rebuild_live_wait_seconds_max,
    )
    try:
        async with lock_of(projection, stores) as owner_id:
            _log.info("a missing view is made from the log", projection=projection.name)
            rebuild = rebuild_of(projection, stores, _QUIET, owner_id)
            try:
                await rebuild.start_or_resume(wanted)
            except OfAnotherRelease:
                await rebuild.cancel()
                await rebuild.start(wanted)
    except RebuildIsLocked:
        return
    _log.info("a missing view is made", projection=projection.name)
