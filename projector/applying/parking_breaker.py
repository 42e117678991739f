"""Distinguishes a few bad events from an outage or a bad release, which must not park every product.

Otherwise a whole topic would be dead letters within minutes, and every product would need an
operator. So after a number of newly parked products within a window no more are parked: the projection
waits, says why, and continues when a batch no longer fails, or when an operator resumes it.
"""

import time
from collections import deque
from collections.abc import Callable

from projector.errors import ParkingIsFull


class ParkingBreaker:
    """`products_max` may be parked within `window_seconds`. `clock` gives monotonic seconds."""

    def __init__(
        self,
        *,
        products_max: int = 100,
        window_seconds: float = 60.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._products_max = products_max
        self._window_seconds = window_seconds
        self._clock = clock
        self._parked_at: deque[float] = deque()
        self.is_open = False

    def check(self, failing: int) -> None:
        """Before so many failing products are parked. Raises `ParkingIsFull` if they are too many."""
        if not failing:
            self.is_open = False
            return
        oldest = self._clock() - self._window_seconds
        while self._parked_at and self._parked_at[0] < oldest:
            self._parked_at.popleft()
        if self.is_open or len(self._parked_at) + failing > self._products_max:
            self.is_open = True
            raise ParkingIsFull(
                f"more than {self._products_max} products failed within {self._window_seconds:g} s: "
                "too many for a few bad events. Repair the cause, or resume to park more"
            )

    def parked(self, failing: int) -> None:
        """Counts products that were parked."""
        if failing:
            self._parked_at.extend([self._clock()] * failing)

    def reset(self) -> None:
        """Start to count again: an operator has resumed the projection."""
        self._parked_at.clear()
        self.is_open = False
