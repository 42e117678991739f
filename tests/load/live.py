"""The live line: the rates, latencies and refusals of the last second, and how far behind the views are."""

import asyncio
import time

from tests.load.generator import Generator
from tests.load.latencies import Outcomes, percentile
from tests.load.sampler import Sample, Sampler

LINE_SECONDS = 1.0


def line(
    name: str, at_seconds: float, seconds: float, offered: int, recent: Outcomes, sample: Sample | None
) -> str:
    """One line about the last `seconds`."""
    in_order = sorted(recent.admitted)
    p50, p99 = (_milliseconds(percentile(in_order, percent)) for percent in (50.0, 99.0))
    lag = "lag ?"
    if sample is not None and sample.lag_events is not None:
        lag = f"lag {sample.lag_events} events, {sample.lag_seconds or 0:.1f} s"
    return (
        f"{name} {at_seconds:6.0f} s | offered {offered / seconds:6.0f}/s,"
        f" admitted {len(in_order) / seconds:6.0f}/s"
        f" | p50 {p50}, p99 {p99} ms | shed {len(recent.shed)}, errors {recent.errors.total()} | {lag}"
    )


async def show(name: str, generator: Generator, sampler: Sampler) -> None:
    """Print a line a second until cancelled."""
    started = last = time.monotonic()
    while True:
        await asyncio.sleep(LINE_SECONDS)
        now = time.monotonic()
        offered, generator.recent_offered = generator.recent_offered, 0
        recent, generator.recent = generator.recent, Outcomes()
        print(line(name, now - started, now - last, offered, recent, sampler.newest), flush=True)
        last = now


def _milliseconds(seconds: float | None) -> str:
    return "-" if seconds is None else f"{seconds * 1000:.1f}"
