"""From the last release to the present code and back, process by process, under load: nobody notices."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Sequence
from pathlib import Path

import pytest
import pytest_asyncio

from deploy.local.kafka import KafkaServer
from deploy.local.postgres import PostgresServer
from deploy.local.redis import RedisServer
from tests.end_to_end.evidence import must_be_consistent
from tests.end_to_end.ledger import Attempt, Command
from tests.end_to_end.system import PATIENCE_OF_TESTS, Servers
from tests.end_to_end.workload import Load
from tests.last_release.fleet import ROLES, Fleet, Instance, Release
from tests.last_release.release import ROOT, NoHistory, check_out

# Few, because each start of a process needs the processor as well.
_CLIENTS = 3
_COMMANDS_PER_MIXTURE = 15
_READ_WAIT_SECONDS = 10


@pytest.fixture
def last(tmp_path: Path) -> Release:
    """The last release, out of the history."""
    try:
        check_out(tmp_path / "last")
    except NoHistory as error:
        pytest.skip(str(error))
    return Release("last", tmp_path / "last", PATIENCE_OF_TESTS)


@pytest.fixture
def present() -> Release:
    """The code that is tested: the next release."""
    return Release("present", ROOT, PATIENCE_OF_TESTS)


@pytest_asyncio.fixture
async def fleet(
    postgres_server: PostgresServer,
    redis_server: RedisServer,
    kafka_server: KafkaServer,
    tmp_path: Path,
    last: Release,
) -> AsyncIterator[Fleet]:
    """Two of each process of the last release."""
    servers = Servers(postgres_server, redis_server, kafka_server)
    async with Fleet(servers, tmp_path / "fleet").running(last) as fleet:
        yield fleet


def _longest_mixture(instances: Sequence[Instance]) -> list[Instance]:
    """First one of each process, then the others: each process meets both releases of all the others."""
    return sorted(instances, key=lambda each: (each.number, ROLES.index(each.role)))


def _by_number(instances: Sequence[Instance]) -> list[list[Instance]]:
    return [[each for each in instances if each.number == number] for number in (1, 2)]


def noticed(commands: Sequence[Command], reads: Counter[str], wrong: Sequence[str]) -> Iterator[str]:
    """What a client without retries would complain of."""
    yield from wrong
    for command in commands:
        said = [attempt.said for attempt in command.attempts]
        if len(said) != 1 or command.outcome not in ("ok", "refused"):
            yield f"{command.kind} {command.command_id} was answered {said}"
    for answer, times in reads.items():
        if answer not in ("200", "404"):
            yield f"{times} reads were answered {answer}"


@pytest.mark.prove
@pytest.mark.servers
async def test_a_release_is_rolled_out_and_back_and_out_again_and_no_request_fails(
    fleet: Fleet, last: Release, present: Release
) -> None:
    async with Load(fleet, clients=_CLIENTS, keeps_connections=False) as load:
        load.read_wait_seconds = _READ_WAIT_SECONDS
        async with load.going_on(0, settled=_COMMANDS_PER_MIXTURE) as running:
            await fleet.migrate(present, "--phase", "before")
            for release in (present, last):
                for instance in _longest_mixture(fleet.instances):
                    await load.settled(load.settled_count + _COMMANDS_PER_MIXTURE)
                    await fleet.replace(instance, release)
            for several in _by_number(fleet.instances):  # all kinds at once, as one `kubectl apply` does it
                await asyncio.gather(*(fleet.replace(instance, present) for instance in several))
            await fleet.migrate(present, "--phase", "after")
            await load.settled(load.settled_count + _COMMANDS_PER_MIXTURE)
        await running
        assert list(noticed(load.commands, load.reads, load.wrong)) == []
        await must_be_consistent(fleet, load.commands)


def _answered(*said: str) -> Command:
    attempts = [Attempt(str(number), _outcome(each), each, 0, 1) for number, each in enumerate(said)]
    return Command("c-1", "create", None, attempts)


def _outcome(said: str) -> str:
    return {"2": "ok", "4": "refused"}.get(said[0], "unknown")


def test_a_failed_request_is_noticed_also_if_its_repetition_succeeds() -> None:
    well = [_answered("201"), _answered("409 sku-taken")]
    assert list(noticed(well, Counter({"200": 2, "404": 1}), [])) == []
    for ill in (_answered("ConnectError", "201"), _answered("503 overloaded", "201"), _answered()):
        assert len(list(noticed([*well, ill], Counter(), []))) == 1
    assert list(noticed([], Counter({"503 read-model-behind": 2}), [])) == [
        "2 reads were answered 503 read-model-behind"
    ]
    assert list(noticed([], Counter(), ["a read showed an older version"])) == [
        "a read showed an older version"
    ]
