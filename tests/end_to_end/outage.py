"""A long outage by hand: `python -m tests.end_to_end.outage --of kafka --seconds 30`, or `--of postgres`.

Starts everything with the settings of production and writes at full speed from a few clients. It stops the
broker for this time, starts it, and kills projector and relay (-9); or it stops PostgreSQL while the
projector has a backlog. Then the checker compares everything. Exit code 0: nothing is lost, and nothing is
parked.
"""

import argparse
import asyncio
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from deploy.local.kafka import KafkaServer
from deploy.local.postgres import PostgresServer
from deploy.local.process import Process
from deploy.local.redis import RedisServer
from tests.end_to_end.checker import problems
from tests.end_to_end.evidence import gather, must_be_at_rest, newest_position, relay_cursor
from tests.end_to_end.ledger import Command
from tests.end_to_end.system import Servers, System
from tests.end_to_end.workload import Load
from tests.eventually import eventually
from tests.servers import KAFKA, POSTGRES, REDIS, SessionServers

COMMANDS_PER_TURN = 200
_RECOVERY_SECONDS_MAX = 300.0


def main() -> int:
    """The exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.end_to_end.outage", description=__doc__)
    parser.add_argument("--of", choices=["kafka", "postgres"], default="kafka", help="which server (kafka)")
    parser.add_argument("--seconds", type=float, default=30.0, help="how many seconds it is down (30)")
    given = parser.parse_args()
    session = SessionServers()
    session.begin([POSTGRES, REDIS, KAFKA])
    try:
        with tempfile.TemporaryDirectory(prefix="outage-") as folder:
            system = _system(session, Path(folder))
            try:
                system.start()
                outage = _outage_of_kafka if given.of == "kafka" else _outage_of_postgres
                return asyncio.run(outage(system, given.seconds))
            finally:
                system.close()
    finally:
        session.close()


def _system(session: SessionServers, folder: Path) -> System:
    postgres, redis, kafka = (session.get(name) for name in (POSTGRES, REDIS, KAFKA))
    assert isinstance(postgres, PostgresServer)
    assert isinstance(redis, RedisServer)
    assert isinstance(kafka, KafkaServer)
    return System(Servers(postgres, redis, kafka), folder, {})


async def _outage_of_postgres(system: System, seconds: float) -> int:
    """The projector resumes with a backlog in Kafka while PostgreSQL is down."""
    async with Load(system) as load:
        load.settled_seconds_max += seconds
        await _write_for(load, 5, "with PostgreSQL")
        await asyncio.to_thread(system.projector.pause)
        await _write_for(load, 5, "while the projector stands still")
        await asyncio.to_thread(system.servers.postgres.kill)
        await asyncio.to_thread(system.projector.resume)
        waiting, stopped = load.begin(COMMANDS_PER_TURN), time.monotonic()
        await asyncio.sleep(seconds)
        await asyncio.to_thread(system.servers.postgres.start)
        print(f"PostgreSQL was down for {time.monotonic() - stopped:.1f} s")
        restarted = time.monotonic()
        await waiting
        await _write_for(load, 5, "after the restart")
        await _caught_up(system, restarted)
        return await _verdict(system, load)


async def _outage_of_kafka(system: System, seconds: float) -> int:
    async with Load(system) as load:
        before = await _write_for(load, 5, "with a broker")
        await asyncio.to_thread(system.servers.kafka.stop)
        during = await _write_for(load, seconds, "without a broker")
        newest = await newest_position(system)
        print(f"backlog: {newest - await relay_cursor(system):,} of {newest:,} events are not in Kafka")
        started = time.monotonic()
        await asyncio.to_thread(system.servers.kafka.start)
        print(f"broker started in {time.monotonic() - started:.1f} s")
        await asyncio.to_thread(system.projector.kill)
        await asyncio.to_thread(system.relay.kill)
        print("kill -9: projector, relay")
        restarted = time.monotonic()
        await asyncio.gather(
            _ready_again(system.relay, restarted),
            _ready_again(system.projector, restarted),
            _has_sent(system, newest, restarted),
        )
        after = await _write_for(load, 5, "after the restart")
        await _caught_up(system, restarted)
        slower = statistics.median(_milliseconds(during)) / statistics.median(_milliseconds(before))
        print(f"median without the broker / with it: {slower:.2f}; commands in all: {len(load.commands):,}")
        assert len(before) + len(during) + len(after) == len(load.commands)
        return await _verdict(system, load)


async def _write_for(load: Load, seconds: float, what: str) -> list[Command]:
    first, started = len(load.commands), time.monotonic()
    while time.monotonic() - started < seconds:
        await load.begin(COMMANDS_PER_TURN)
    took = time.monotonic() - started
    written = load.commands[first:]
    times = sorted(_milliseconds(written))
    outcomes = {name: sum(1 for each in written if each.outcome == name) for name in ("ok", "refused")}
    print(
        f"{what}: {len(written):,} commands in {took:.1f} s ({len(written) / took:,.0f}/s), {outcomes}, "
        f"p50 {times[len(times) // 2]:.1f} ms, p99 {times[len(times) * 99 // 100]:.1f} ms, "
        f"longest {times[-1]:.0f} ms"
    )
    return written


def _milliseconds(commands: Sequence[Command]) -> list[float]:
    return [(each.attempts[-1].ended - each.attempts[0].started) * 1000 for each in commands]


async def _ready_again(process: Process, restarted: float) -> None:
    await asyncio.to_thread(process.start)
    print(f"{process.name} ready {time.monotonic() - restarted:.1f} s after the kill")


async def _has_sent(system: System, newest: int, restarted: float) -> None:
    """The relay has sent the backlog."""

    async def all_is_sent() -> int:
        cursor = await relay_cursor(system)
        assert cursor >= newest
        return cursor

    _: int = await eventually(all_is_sent, _RECOVERY_SECONDS_MAX)
    print(f"the backlog is in Kafka {time.monotonic() - restarted:.1f} s after the kill")


async def _caught_up(system: System, restarted: float) -> None:
    _: int = await eventually(lambda: must_be_at_rest(system), _RECOVERY_SECONDS_MAX)
    print(f"every view has caught up {time.monotonic() - restarted:.1f} s later")


async def _verdict(system: System, load: Load) -> int:
    evidence = await gather(system)
    found = [*load.wrong, *problems(evidence, load.commands)]
    repeats = len(evidence.records["events"]) - len(evidence.log)
    print(f"answers: {dict(load.answers())}")
    print(f"log: {len(evidence.log):,} events of {len(evidence.streams):,} products")
    print(f"parked: {len(evidence.parked)}")
    print(f"products-events: {len(evidence.records['events']):,} records, {repeats} of them duplicates")
    views = evidence.views.items()
    print(", ".join(f"{name}: {len(seen):,}" for name, seen in views if seen is not None))
    print("\n".join(found[:20]))
    print(f"the checker found {len(found)} problems")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
