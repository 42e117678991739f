"""Tells one bad event from an outage or a bad release: what fails for many products is no matter of parking.

Parked one by one, a whole topic would end in the dead letters within minutes, and every product would need an
operator. So beyond a number of newly parked products within a window nothing more is parked: the projection
waits, says why, and goes on by itself when a batch no longer fails, or when an operator tells it to.
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
        """Before a batch in which so many products fail is parked. Raises `ParkingIsFull`."""
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
                "this is no single bad event; mend the cause, or resume to go on parking"
            )

    def parked(self, failing: int) -> None:
        """They are parked now."""
        if failing:
            self._parked_at.extend([self._clock()] * failing)

    def reset(self) -> None:
        """An operator has looked: count anew."""
        self._parked_at.clear()
        self.is_open = False
