"""Liveness and readiness are two questions; if they are mixed, an outage of PostgreSQL becomes a restart
storm.

Liveness: does this process still make progress? Only heartbeats of its own loops count. Readiness: should it
get work now? Its necessary dependencies count, and a shutdown that has begun.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

Check = Callable[[], Awaitable[None]]
OK = "ok"


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


@dataclass(frozen=True, slots=True)
class _Requirement:
    check: Check
    timeout_seconds: float


class Health:
    """The answers of /livez and /readyz of one process; `clock` gives monotonic seconds (tests pass their
    own).
    """

    def __init__(self, process: str, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.process = process
        self._clock = clock
        self._requirements: dict[str, _Requirement] = {}
        self._heartbeats: dict[str, Heartbeat] = {}
        self._draining = False

    def require(self, name: str, check: Check, timeout_seconds: float = 2.0) -> None:
        """Register a readiness check: it returns if the dependency works, and raises if not."""
        if name in self._requirements:
            raise ValueError(f"readiness check {name!r} is registered twice")
        self._requirements[name] = _Requirement(check, timeout_seconds)

    def expect_progress(self, name: str, seconds_max: float) -> Heartbeat:
        """Register a loop that must beat at least every `seconds_max`; its first beat is now."""
        if name in self._heartbeats:
            raise ValueError(f"heartbeat {name!r} is registered twice")
        self._heartbeats[name] = Heartbeat(seconds_max, self._clock)
        return self._heartbeats[name]

    def drain(self) -> None:
        """A shutdown has begun: not ready from now on, so that load balancers use other processes."""
        self._draining = True

    async def readiness(self) -> tuple[bool, dict[str, str]]:
        """(ready, reason per check). Checks run at the same time, each bounded by its own time-out."""
        names = list(self._requirements)
        reasons = await asyncio.gather(*(_reason(self._requirements[name]) for name in names))
        answers = dict(zip(names, reasons, strict=True))
        if self._draining:
            answers["draining"] = "shutting down"
        return all(reason == OK for reason in answers.values()), answers

    def liveness(self) -> tuple[bool, dict[str, str]]:
        """(alive, reason per heartbeat). Never asks a dependency."""
        answers = {name: _pulse(heartbeat) for name, heartbeat in self._heartbeats.items()}
        return all(reason == OK for reason in answers.values()), answers


async def _reason(requirement: _Requirement) -> str:
    """`ok`, or the reason. Every error means "not ready" and is in the answer, so none is swallowed."""
    try:
        async with asyncio.timeout(requirement.timeout_seconds):
            await requirement.check()
    except TimeoutError:
        return f"no answer within {requirement.timeout_seconds:g} s"
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return OK


def _pulse(heartbeat: Heartbeat) -> str:
    silent = heartbeat.silent_seconds()
    return (
        OK
        if silent <= heartbeat.seconds_max
        else f"no progress for {silent:.0f} s (at most {heartbeat.seconds_max:g} s)"
    )
