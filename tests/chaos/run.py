"""The steps of a run: start, make the scheduled faults while clients work, heal, wait, check."""

import asyncio
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import asyncpg

from tests.chaos.books import Books
from tests.chaos.command_client import CommandClient
from tests.chaos.diary import Diary
from tests.chaos.faults import Faults
from tests.chaos.installation import Installation, installation
from tests.chaos.mails import gather_mails, mails_must_be_at_rest
from tests.chaos.process_logs import critical_lines, errors_logged
from tests.chaos.schedule import Planned, schedule
from tests.chaos.writers import write
from tests.end_to_end.checker import Evidence, problems
from tests.end_to_end.evidence import gather, must_be_at_rest
from tests.end_to_end.readers import Readers
from tests.end_to_end.settled_cache import settle_cache
from tests.eventually import eventually

_THREADS_MAX = 32
_WATCH_SECONDS = 0.5
_SETTLE_SECONDS_MAX = 30.0
_QUIET_SECONDS = 3.0
_REST_SECONDS_MAX = 240.0
_LIST_SECONDS_MAX = 15.0


@dataclass(frozen=True)
class Plan:
    """The options of a run; everything random comes from `seed`."""

    seed: int
    seconds: float
    kinds: Sequence[str]
    every_seconds: float = 2.5
    on: Sequence[str] = ()
    writers: int = 8
    readers: int = 4
    pause_seconds: float = 0.1
    prefixes: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """Kind of process -> arguments before its own, which break it on purpose."""

    def schedule(self) -> list[Planned]:
        """The faults."""
        return schedule(self.seed, self.seconds, self.kinds, every_seconds=self.every_seconds, on=self.on)


@dataclass
class Outcome:
    """The result of a run."""

    plan: Plan
    faults: list[Planned]
    books: Books
    readers: Readers
    problems: list[str]
    evidence: Evidence
    starts: int
    logged_errors: Counter[str]
    seconds: Mapping[str, float]
    """How long each part took."""


async def run(plan: Plan, data: Path, logs: Path, diary: Diary) -> Outcome:
    """Everything from the start of the servers to the checker's verdict."""
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(_THREADS_MAX))
    faults = plan.schedule()
    begun = time.monotonic()
    async with installation(data, logs, plan.prefixes, diary.tell) as place:
        books = Books(plan.seed)
        client = CommandClient(place.command_urls, books)
        readers = Readers(
            place.query_urls, books.known, books.resting, seed=plan.seed, pause_seconds=plan.pause_seconds
        )
        doing = Faults(place, diary.tell)
        await asyncio.to_thread(settle_cache, place)
        started = time.monotonic()
        try:
            await _storm(plan, faults, doing, books, client, readers, diary)
        finally:
            await client.close()
            await readers.close()
        calm = time.monotonic()
        found = [*doing.problems, *books.wrong, *readers.wrong]
        evidence, more = await _verdict(plan, place, books, readers, diary)
        found += [*more, *critical_lines(logs)]
        ended = time.monotonic()
        starts = sum(target.starts for target in place.targets.values())
    seconds = {"start": started - begun, "storm": calm - started, "check": ended - calm}
    return Outcome(plan, faults, books, readers, found, evidence, starts, errors_logged(logs), seconds)


async def _storm(
    plan: Plan, faults: Sequence[Planned], doing: Faults, books: Books, client: CommandClient,
    readers: Readers, diary: Diary,
) -> None:  # fmt: skip
    """Clients and faults at the same time; at the end every command is settled or given up."""
    diary.tell(
        f"{len(faults)} faults in {plan.seconds:.0f} s, {plan.writers} writers, {plan.readers} readers"
    )
    async with asyncio.TaskGroup() as clients:
        watching = clients.create_task(_watch(doing))
        writing = [
            clients.create_task(write(number, books, client, plan.pause_seconds))
            for number in range(plan.writers)
        ]
        for number in range(plan.readers):
            clients.create_task(readers.read(number))
        clients.create_task(_report_progress(books, readers, diary))
        await _carry_out(faults, plan.seconds, doing)
        diary.tell("all faults are over: healing")
        await doing.heal()
        diary.tell("all processes are ready again")
        await asyncio.sleep(_QUIET_SECONDS)
        books.resting.set()
        # Careful writers may need a while to settle what is unknown.
        await asyncio.wait(writing, timeout=_SETTLE_SECONDS_MAX)
        books.giving_up.set()
        watching.cancel()
    diary.tell(f"clients are done: {len(books.commands)} commands")


async def _carry_out(faults: Sequence[Planned], seconds: float, doing: Faults) -> None:
    began = time.monotonic()
    async with asyncio.TaskGroup() as breaking:
        for fault in faults:
            await asyncio.sleep(max(0.0, began + fault.at - time.monotonic()))
            breaking.create_task(doing.carry_out(fault))
        await asyncio.sleep(max(0.0, began + seconds - time.monotonic()))


async def _watch(doing: Faults) -> None:
    while True:
        await asyncio.sleep(_WATCH_SECONDS)
        await doing.bring_back_what_ended_by_itself()


async def _report_progress(books: Books, readers: Readers, diary: Diary) -> None:
    while not books.resting.is_set():
        try:
            async with asyncio.timeout(diary.interval_seconds):
                await books.resting.wait()
        except TimeoutError:
            reads = sum(readers.answers.values())
            wrong = len(books.wrong) + len(readers.wrong)
            diary.tell(f"{len(books.commands)} commands, {reads} reads, {wrong} wrong answers so far")


async def _verdict(
    plan: Plan, place: Installation, books: Books, readers: Readers, diary: Diary
) -> tuple[Evidence, list[str]]:
    """Wait until the system is at rest, then check everything. The work that the faults have delayed may take
    as long as they did, above all mails, which are sent one by one.
    """
    found = []
    rest_seconds_max = _REST_SECONDS_MAX + plan.seconds
    try:
        _: int = await eventually(lambda: _at_rest(place), rest_seconds_max)
        diary.tell("at rest: the relay has sent all events, and every projection has applied them")
    except AssertionError as error:
        found.append(f"not at rest within {rest_seconds_max:.0f} s: {error}")
        diary.tell("the logs of the processes say what they wait for, after a line that begins with `== `")
        place.tell_what_they_wait_for()
        for name, target in place.targets.items():
            if not await asyncio.to_thread(target.server.is_ready):  # it needs the proxies of this very loop
                found.append(f"{name} is not ready")

    async def looked_at() -> tuple[Evidence, list[str]]:
        evidence = await gather(place)
        evidence.witnessed = dict(readers.witnessed)
        evidence.mails = await gather_mails(place)
        return evidence, problems(evidence, books.commands)

    evidence, wrong = await looked_at()
    if wrong:
        # Check again when cached lists have expired; a real loss is found the second time, too.
        diary.tell(f"{len(wrong)} problems; checking again in {_LIST_SECONDS_MAX:.0f} s")
        await asyncio.sleep(_LIST_SECONDS_MAX)
        evidence, again = await looked_at()
        # The reads of the first look by SKU and slug fill the cache, and so repair its old documents.
        cached = [problem for problem in wrong if problem.startswith("cache: ") and problem not in again]
        wrong = [*again, *cached]
    return evidence, [*found, *wrong]


async def _at_rest(place: Installation) -> int:
    try:
        newest = await must_be_at_rest(place)
        await mails_must_be_at_rest(place)
    except (OSError, RuntimeError, asyncpg.PostgresError) as error:  # kafka-python's errors are RuntimeErrors
        raise AssertionError(f"{type(error).__name__}: {error}") from error
    return newest
