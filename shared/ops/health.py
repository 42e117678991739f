"""Liveness and readiness are two questions; if they are mixed, an outage of PostgreSQL becomes a restart
storm.

Liveness: does this process still make progress? Only heartbeats of its own loops count. Readiness: can this
process itself do its work? Each check has to pass once after the start. When it fails later, the process is
`degraded`, but stays ready: all processes share the server, so all of them would leave the load balancer at
the same moment, and with them the answers that do not need that server (docs/decisions/0024).
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from shared.ops.concurrency.waits import pause, run_until, until_turn
from shared.ops.error_text import named
from shared.ops.logs import get_logger
from shared.ops.metrics.process import READINESS_CHECK_OK, READY

Check = Callable[[], Awaitable[None]]
OK = "ok"
_NOT_ASKED = "not asked yet"
_LOOK_SECONDS = 1.0
# A start and a roll-out wait for it.
_LOOK_SECONDS_BEFORE_READY = 0.2
# A reason may change at every look: it is logged again after this time, and all that last after the other.
_SAY_CHANGE_SECONDS = 5.0
_SAY_AGAIN_SECONDS = 60.0
_log = get_logger(__name__)


class OnlyAnOperatorHelps(Exception):
    """Raised by a check: this process has stopped a part of its work until an operator acts. It is not ready,
    whatever it was before: a release that cannot do its work must not replace one that can.
    """


class Readiness(NamedTuple):
    """`checks`: `ok` or the reason, by name. `degraded`: the names of those that fail, but do not keep the
    process from being ready.
    """

    is_ready: bool
    checks: Mapping[str, str]
    degraded: Sequence[str]


class Heartbeat:
    """A loop's sign of life; `beat` is cheap enough to be called in every round."""

    def __init__(self, seconds_max: float, clock: Callable[[], float]) -> None:
        self._clock = clock
        self.seconds_max = seconds_max
        self._beaten_at = clock()

    def beat(self) -> None:
        """The loop has begun another round."""
        self._beaten_at = self._clock()

    def silent_seconds(self) -> float:
        """Seconds since the last beat, or since the heartbeat was registered."""
        return self._clock() - self._beaten_at


@dataclass(slots=True)
class _Look:
    """A check, and what the last look showed. `is_required`: readiness waits until it has passed once."""

    name: str
    check: Check
    seconds_max: float
    is_required: bool
    clock: Callable[[], float]
    reason: str = _NOT_ASKED
    said: str = _NOT_ASKED
    said_at: float = 0.0
    has_stopped: bool = False
    passed_once: bool = False

    @property
    def prevents_readiness(self) -> bool:
        return self.has_stopped or (self.is_required and not self.passed_once)

    async def look(self) -> None:
        """Every error means "it fails" and is in the answer, so none is swallowed."""
        self.has_stopped = False
        try:
            async with asyncio.timeout(self.seconds_max):
                await self.check()
        except TimeoutError:
            self.reason = f"no answer within {self.seconds_max:g} s"
        except OnlyAnOperatorHelps as error:
            self.has_stopped, self.reason = True, str(error)
        except Exception as error:
            self.reason = named(error)
        else:
            self.reason = OK
            self.passed_once = True
        READINESS_CHECK_OK.labels(self.name).set(self.reason == OK)
        self._say_change()

    def _say_change(self) -> None:
        """When it begins to fail, when that ends, and when it fails for another reason."""
        was_fine, is_fine, now = self.said in (OK, _NOT_ASKED), self.reason == OK, self.clock()
        if self.reason == self.said or (was_fine and is_fine):
            return
        if not was_fine and not is_fine and now - self.said_at < _SAY_CHANGE_SECONDS:
            return
        self.said, self.said_at = self.reason, now
        if is_fine:
            _log.info("check passes again", check=self.name)
        elif self.prevents_readiness:
            _log.warning("not ready: a check fails", check=self.name, reason=self.reason)
        else:
            _log.warning("degraded: a check fails", check=self.name, reason=self.reason)


class Health:
    """The answers of /livez and /readyz of one process; `clock` gives monotonic seconds (tests pass their
    own).

    The checks run in the background (`watch`), so that /readyz answers at once while a server hangs.
    """

    def __init__(self, process: str, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.process = process
        self._clock = clock
        self._looks: dict[str, _Look] = {}
        self._heartbeats: dict[str, Heartbeat] = {}
        self._draining = False
        self._said_at = clock()

    def require(self, name: str, check: Check, seconds_max: float = 2.0) -> None:
        """The process is ready after this check has passed once. A check returns, or raises the reason."""
        self._register(_Look(name, check, seconds_max, is_required=True, clock=self._clock))

    def tell(self, name: str, check: Check, seconds_max: float = 2.0) -> None:
        """The process works without it, only worse: this check never decides on readiness."""
        self._register(_Look(name, check, seconds_max, is_required=False, clock=self._clock))

    def expect_progress(self, name: str, seconds_max: float) -> Heartbeat:
        """Register a loop that must beat at least every `seconds_max`; its first beat is now."""
        if name in self._heartbeats:
            raise ValueError(f"heartbeat {name!r} is registered twice")
        self._heartbeats[name] = Heartbeat(seconds_max, self._clock)
        return self._heartbeats[name]

    def drain(self) -> None:
        """A shutdown has begun: not ready from now on, so that load balancers use other processes."""
        self._draining = True
        READY.set(False)

    async def watch(self, stop: asyncio.Event) -> None:
        """Run the checks again and again until `stop`, which also ends those under way."""

        async def look_again_and_again() -> None:
            while True:
                await self.look()
                is_ready = self.readiness().is_ready
                await asyncio.sleep(until_turn(_LOOK_SECONDS if is_ready else _LOOK_SECONDS_BEFORE_READY))

        await run_until(stop.wait(), look_again_and_again())

    async def look(self) -> None:
        """Run all checks once, at the same time, each bounded by its own time-out."""
        await asyncio.gather(*(look.look() for look in self._looks.values()))
        READY.set(self.readiness().is_ready)
        self._say_again()

    def _say_again(self) -> None:
        """So that the end of a long log still tells what the process waits for."""
        failing = {look.name: look.reason for look in self._looks.values() if look.reason != OK}
        now = self._clock()
        if not failing:
            self._said_at = now
        elif now - self._said_at >= _SAY_AGAIN_SECONDS:
            self._said_at = now
            _log.warning("checks still fail", is_ready=self.readiness().is_ready, reasons=failing)

    async def passed(
        self, *names: str, stop: asyncio.Event, meanwhile: Callable[[], None] = lambda: None
    ) -> bool:
        """Wait until each of these checks has passed once; false if `stop` comes before.

        `meanwhile` is called again and again: waiting is progress.
        """
        while not all(self._looks[name].passed_once for name in names):
            if stop.is_set():
                return False
            meanwhile()
            await pause(_LOOK_SECONDS_BEFORE_READY, stop)
        return True

    def readiness(self) -> Readiness:
        """As of the last look."""
        looks = self._looks.values()
        checks = {look.name: look.reason for look in looks}
        if self._draining:
            checks["draining"] = "shutting down"
        is_ready = not self._draining and not any(look.prevents_readiness for look in looks)
        degraded = [look.name for look in looks if look.reason != OK and not look.prevents_readiness]
        return Readiness(is_ready, checks, degraded)

    def liveness(self) -> tuple[bool, dict[str, str]]:
        """(alive, reason per heartbeat). Never asks a dependency."""
        answers = {name: _pulse(heartbeat) for name, heartbeat in self._heartbeats.items()}
        return all(reason == OK for reason in answers.values()), answers

    def _register(self, look: _Look) -> None:
        if look.name in self._looks:
            raise ValueError(f"readiness check {look.name!r} is registered twice")
        self._looks[look.name] = look


def _pulse(heartbeat: Heartbeat) -> str:
    silent = heartbeat.silent_seconds()
    return (
        OK
        if silent <= heartbeat.seconds_max
        else f"no progress for {silent:.0f} s (at most {heartbeat.seconds_max:g} s)"
    )
