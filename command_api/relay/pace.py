"""How long the relay waits, and for what."""

import random
from dataclasses import dataclass

from command_api.relay.ports import AppendSignal


@dataclass(frozen=True, slots=True)
class RelayTimes:
    """Waits in seconds: polling (doubles from min to max while idle, further while hints come), from a small
    chunk to the next, standby, back-off after a failure; how often the topics are checked while idle.
    """

    poll_min: float = 0.003
    poll_max: float = 0.05
    hinted_poll_max: float = 0.05
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


class IdlePolls:
    """The waits of a relay without new events. A hint ends each of them, so the log is polled only because
    hints may get lost: seldom while the listener is connected; often while it is not, or after events that no
    hint announced.
    """

    def __init__(self, times: RelayTimes, appended: AppendSignal) -> None:
        self._times = times
        self._appended = appended
        self._seconds = times.poll_min
        self._hints_come = True
        self._ended_by_itself = False

    async def wait(self) -> None:
        """Until it is time to read the log again."""
        is_hinted = await self._appended.wait(self._seconds)
        self._ended_by_itself = not is_hinted
        self._hints_come = self._hints_come or is_hinted
        is_told = self._hints_come and self._appended.is_connected
        longest = self._times.hinted_poll_max if is_told else self._times.poll_max
        self._seconds = min(self._seconds * 2, max(longest, self._times.poll_max))

    def found(self) -> None:
        """There are new events. A hint that is only late counts when it comes."""
        if self._ended_by_itself:
            self._hints_come = self._ended_by_itself = False
        self._seconds = self._times.poll_min
