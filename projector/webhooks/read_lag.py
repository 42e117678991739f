"""How far behind the end of the log the reading of webhooks is."""

import time
from collections.abc import Callable


class ReadLag:
    """It grows until it is told of progress, so that a reading which fails does not look healthy."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._read_until = clock()

    def seconds(self) -> float:
        """The greatest possible age of an event that was not read yet."""
        return max(0.0, self._clock() - self._read_until)

    def now(self) -> float:
        """Before a read: what was recorded until now is in its answer."""
        return self._clock()

    def read(self, until: float) -> None:
        """All events that were recorded until then are read, or nobody waits for them."""
        self._read_until = until
