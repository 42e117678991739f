"""What the system can do when clients never wait: closed loops feed it for a while, then it catches up.

The sustained rate is the number of commands divided by the time from the first command until every projection
has applied the last one. A rate of answers alone would count what only lies in the log.
"""

import asyncio
import tempfile
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import asyncpg

from tests.benchmarks.mixed_commands import Product
from tests.benchmarks.whole_system import System
from tests.benchmarks.wrk import request_rate

# Fewer than one caller may have in work (REQUESTS_IN_WORK_MAX): none is refused.
CONNECTIONS = 32
SCRIPT = Path(__file__).with_name("change_prices.lua")
PROJECTIONS = 7
APPLIED_SECONDS_MAX = 180
# Consumers report their lag once a second.
_LOOK_SECONDS = 0.1
_NEWEST = "SELECT coalesce(max(position), 0) FROM catalogue.events"


class Fed(NamedTuple):
    """`seconds` until every projection had applied everything; `behind_seconds` of them after the last
    command.
    """

    commands: int
    seconds: float
    behind_seconds: float


async def feed(
    url: str, products: Sequence[Product], seconds: float, until_all: Callable[[], Awaitable[None]]
) -> Fed:
    """Commands from wrk for so long, one create in five, and the time until `until_all` ends."""
    with tempfile.NamedTemporaryFile("w", prefix="bench-products-") as file:
        file.writelines(f"{each.product_id} {each.sku}\n" for each in products)
        file.flush()
        started = time.perf_counter()
        rate = await request_rate(
            url,
            seconds,
            script=SCRIPT,
            arguments=(f"{time.time_ns():x}", file.name),
            connections=CONNECTIONS,
        )
    fed = time.perf_counter()
    await until_all()
    ended = time.perf_counter()
    return Fed(round(rate * round(seconds)), ended - started, ended - fed)


async def until_applied(system: System) -> None:
    """Every projection has applied the newest event, and then reports that nothing is left in any partition.

    Raises TimeoutError after three minutes.
    """
    newest = await _newest_position(system)
    async with asyncio.timeout(APPLIED_SECONDS_MAX):
        while not all(each["position"] >= newest for each in await _projections(system)):
            await asyncio.sleep(_LOOK_SECONDS)
        # A report from before this moment may not know of the last events of a partition.
        there = datetime.now(UTC)
        while not all(has_nothing_left(each, there) for each in await _projections(system)):
            await asyncio.sleep(_LOOK_SECONDS)


def has_nothing_left(projection: Mapping[str, Any], since: datetime) -> bool:
    """By a report that was made after that moment."""
    measured_at = projection["measured_at"]
    is_new = measured_at is not None and datetime.fromisoformat(measured_at) > since
    return is_new and projection["lag_events"] == 0


async def _projections(system: System) -> Sequence[Mapping[str, Any]]:
    answer = await system.queries.request("GET", "/v1/status")
    projections: list[dict[str, Any]] = answer.json()["projections"]
    if len(projections) != PROJECTIONS:
        names = [each["projection"] for each in projections]
        raise RuntimeError(f"expected {PROJECTIONS} projections: {names}")
    return projections


async def _newest_position(system: System) -> int:
    connection = await asyncpg.connect(system.log.owner)
    try:
        return int(await connection.fetchval(_NEWEST))
    finally:
        await connection.close()
