"""Repeated work: no error ends it or its process, and its neglect shows."""

import asyncio
from uuid import uuid4

from prometheus_client import REGISTRY
from structlog.testing import capture_logs

from shared.ops.upkeep import Upkeep
from tests.counters import counted
from tests.eventually import eventually

SOON = 0.001


class Work:
    """It fails while it has an error."""

    def __init__(self) -> None:
        self.name = f"test {uuid4()}"
        self.times = 0
        self.error: Exception | None = None

    async def do(self) -> None:
        self.times += 1
        if self.error is not None:
            raise self.error

    def done(self, times: int) -> None:
        assert self.times >= times

    @property
    def succeeded_at(self) -> float:
        value = REGISTRY.get_sample_value("upkeep_last_success_timestamp_seconds", {"upkeep": self.name})
        assert value is not None
        return value


async def test_an_error_that_nobody_expects_ends_nothing_and_the_work_goes_on_when_it_is_over() -> None:
    work = Work()
    work.error = ValueError("a bug")
    upkeep = Upkeep(work.name, work.do, SOON, is_outage=lambda error: isinstance(error, OSError))
    stop = asyncio.Event()
    with capture_logs() as lines:
        running = asyncio.create_task(upkeep.run(stop))
        await eventually(lambda: work.done(11))
        assert not running.done()
        work.error = None
        tried = work.times
        await eventually(lambda: work.done(tried + 2))
        stop.set()
        await running
    failures = [line for line in lines if line["event"] == "upkeep failed"]
    assert {line["log_level"] for line in failures} == {"error"}
    assert 2 <= len(failures) < counted("upkeep_failures_total", upkeep=work.name) - 5
    assert [line["event"] for line in lines][-1] == "upkeep succeeds again"


async def test_the_time_of_the_last_success_stands_still_while_it_fails_and_the_reason_is_kept() -> None:
    work = Work()
    upkeep = Upkeep(work.name, work.do, SOON, is_outage=lambda error: isinstance(error, OSError))
    began = work.succeeded_at
    assert began > 0, "an upkeep that never succeeds gets old, too"
    await upkeep.turn()
    succeeded = work.succeeded_at
    assert succeeded > began
    assert upkeep.reason is None
    work.error = OSError("away")
    with capture_logs() as lines:
        await upkeep.turn()
    assert [line["log_level"] for line in lines] == ["warning"]
    assert work.succeeded_at == succeeded
    assert upkeep.reason == "OSError: away"
