"""How long the relay waits, and for what."""

import random
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RelayTimes:
    """Waits in seconds: polling (doubles from min to max while idle), from one small chunk to the next,
    standby, back-off after a failure; how often the topics are checked while idle.
    """

    poll_min: float = 0.003
    poll_max: float = 0.05
    chunk_interval: float = 0.0
    lock_wait: float = 1.0
    retry_initial: float = 0.1
    retry_max: float = 5.0
    operator_wait: float = 15.0
    check: float = 15.0

    def next_lock_wait(self) -> float:
        """With jitter, from half to one and a half, so that standbys do not ask at the same time."""
        return self.lock_wait * (0.5 + random.random())  # noqa: S311 - spreads retries, guards nothing

    def back_off(self, failures: int) -> float:
        """Full jitter up to a bound that doubles with each failure in a row."""
        bound = min(self.retry_initial * 2.0 ** min(failures, 16), self.retry_max)
        return bound * random.random()  # noqa: S311 - spreads retries, guards nothing
