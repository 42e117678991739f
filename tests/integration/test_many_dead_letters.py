"""An operator's retry or discard means all that matches, however many, and says what is left."""

from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import AsyncExitStack
from typing import Any

import asyncpg
import httpx
import pytest
import pytest_asyncio

from projector.applying.dead_letters import Action, DeadLetter, ProductDeadLetter, SingleDeadLetter
from projector.applying.records import MadeRecord
from projector.audit.postgres import PostgresAuditLog
from projector.errors import Unavailable
from projector.operators.assembly import Operations, operations
from projector.operators.http.endpoints import operator_endpoints
from projector.parking.answers import Result
from projector.parking.dead_letters import DeadLetters, Summary
from projector.parking.ports import Narrowed, UnknownDeadLetter
from projector.parking.postgres.dead_letters import PostgresDeadLetters
from projector.parking.postgres.parking import PostgresParking
from projector.parking.retry import Released
from projector.stores import open_stores
from shared.contract.recorded_event import RecordedEvent
from shared.kafka.cloud_event import record_headers
from tests.integration.projector_commands import run
from tests.integration.projector_world import PARTITIONS, World, world
from tests.unit.projector.histories import created, history, new_product_id, priced

__all__ = ["world"]
pytestmark = pytest.mark.servers
VIEW = "product_view"
ACTION = Action("ann", "retry", "mended")
ALL = Narrowed()
MANY = 2_500
MIDDLE = MANY // 2


@pytest_asyncio.fixture
async def pool(world: World) -> "AsyncIterator[asyncpg.Pool[asyncpg.Record]]":
    async with asyncpg.create_pool(world.settings.read_model_dsn.read(), min_size=0, max_size=2) as pool:
        yield pool


@pytest_asyncio.fixture
async def dead_letters(world: World) -> AsyncIterator[DeadLetters]:
    """As the commands and the operations port have them."""
    async with AsyncExitStack() as stack:
        yield operations(await open_stores(world.settings, 4, stack)).dead_letters


class Told:
    """Hears of each page."""

    def __init__(self) -> None:
        self.pages: list[Sequence[Result]] = []

    def __call__(self, page: Sequence[Result]) -> None:
        self.pages.append(page)

    @property
    def sizes(self) -> list[int]:
        return [len(page) for page in self.pages]

    @property
    def failed(self) -> list[Result]:
        return [one for page in self.pages for one in page if one.outcome == "failed"]


async def park(
    pool: "asyncpg.Pool[asyncpg.Record]", dead_letters: Iterable[DeadLetter], projection: str = VIEW
) -> None:
    """As a batch does that meets them."""
    async with pool.acquire() as connection, connection.transaction():
        await PostgresParking(connection, projection).park(list(dead_letters))


def created_products(count: int) -> list[RecordedEvent]:
    """The first event of each, with positions from 1 on."""
    return [
        history(
            new_product_id(), created(f"Shirt {number}", slug=f"shirt-{number}"), first_position=number + 1
        )[0]
        for number in range(count)
    ]


def dead_letter_of(world: World, event: RecordedEvent, offset: int) -> ProductDeadLetter:
    headers = record_headers(event, str(world.log_id).encode())
    record = MadeRecord(world.topic, 0, offset, 0, str(event.product_id).encode(), event.data, headers)
    return ProductDeadLetter(record, event, "unknown", "it was not to be")


def garbage(world: World, count: int) -> list[SingleDeadLetter]:
    return [
        SingleDeadLetter(
            MadeRecord(world.topic, 1, offset, 0, b"no id", b"{", ()), None, "unreadable-record", "what?"
        )
        for offset in range(count)
    ]


async def test_all_are_retried_though_one_in_the_middle_fails(
    world: World, pool: "asyncpg.Pool[asyncpg.Record]", dead_letters: DeadLetters
) -> None:
    events = created_products(MANY)
    # The log has no first version of this one.
    events[MIDDLE] = history(events[MIDDLE].product_id, created(), priced("2.00"), first_position=MANY)[1]
    await world.append(event for event in events if event.stream_version == 1)
    await park(pool, [dead_letter_of(world, event, offset) for offset, event in enumerate(events)])
    told = Told()
    summary = await dead_letters.retry(VIEW, ALL, ACTION, told)
    assert summary == Summary(MANY - 1, 1, parked_now=1)
    assert told.sizes == [500] * 5
    assert [one.product_id for one in told.failed] == [events[MIDDLE].product_id]
    assert await world.views.fetchval("SELECT count(*) FROM views.product_view") == MANY - 1


async def test_what_is_parked_while_a_retry_runs_is_left_and_counted(
    world: World, pool: "asyncpg.Pool[asyncpg.Record]", dead_letters: DeadLetters
) -> None:
    first, second = created_products(2)
    await world.append([first])
    await park(pool, [dead_letter_of(world, first, 0)])

    stored = dead_letters._dead_letters
    products = stored.products

    async def and_one_more(*arguments: Any, **more: Any) -> Any:
        await park(pool, [dead_letter_of(world, second, 1)])
        return await products(*arguments, **more)

    stored.products = and_one_more  # type: ignore[method-assign]
    told = Told()
    assert await dead_letters.retry(VIEW, ALL, ACTION, told) == Summary(1, 0, parked_now=1)
    assert [one.product_id for page in told.pages for one in page] == [first.product_id]


async def test_all_are_discarded_though_one_in_the_middle_cannot_be(
    world: World, pool: "asyncpg.Pool[asyncpg.Record]", dead_letters: DeadLetters
) -> None:
    events = created_products(MANY)
    # This one has happened, and the view holds nothing of it: no version to skip.
    await world.append([events[MIDDLE]])
    await park(pool, [dead_letter_of(world, event, offset) for offset, event in enumerate(events)])
    await park(pool, garbage(world, 1_200))
    told = Told()
    summary = await dead_letters.discard(VIEW, ALL, ACTION, told)
    assert summary == Summary(MANY - 1 + 1_200, 1, parked_now=1)
    assert [one.product_id for one in told.failed] == [events[MIDDLE].product_id]
    assert max(told.sizes) == 500
    assert await dead_letters.discard(VIEW, ALL, ACTION, told, is_dry=True) == Summary(1, 0, parked_now=1)


async def test_mails_are_discarded_in_pages_too(
    world: World, pool: "asyncpg.Pool[asyncpg.Record]", dead_letters: DeadLetters
) -> None:
    events = created_products(600)
    mails = [
        SingleDeadLetter(
            dead_letter_of(world, event, offset).record, event, "mail-refused", "no such mailbox"
        )
        for offset, event in enumerate(events)
    ]
    await park(pool, mails, "notifications")
    told = Told()
    assert await dead_letters.discard("notifications", ALL, ACTION, told) == Summary(600, 0, parked_now=0)
    assert told.sizes == [500, 100]


async def test_a_dead_letter_that_does_not_exist_is_an_error_wherever_it_is_named(
    world: World, pool: "asyncpg.Pool[asyncpg.Record]", dead_letters: DeadLetters
) -> None:
    product = history(new_product_id(), created(), priced("2.00"))
    await park(pool, [dead_letter_of(world, event, offset) for offset, event in enumerate(product)])
    rows = await world.views.fetch("SELECT parked_event_id FROM views.parked_event ORDER BY 1")
    first, second = (row["parked_event_id"] for row in rows)
    choice = ("--projection", VIEW, "--id")
    for command, why in (("retry", ()), ("discard", ("--reason", "spoilt")), ("list", ()), ("show", ())):
        _, output, errors = await run(world, "dead-letters", command, *choice, "999", *why, code=2)
        assert (output, errors.count("\n")) == ("", 1)
        assert f"there is no dead letter 999 of {VIEW}" in errors
    for call in (dead_letters.retry, dead_letters.discard):
        with pytest.raises(UnknownDeadLetter, match=f"--product {product[0].product_id}"):
            await call(VIEW, Narrowed(dead_letter_id=second), ACTION, Told())
        with pytest.raises(UnknownDeadLetter, match="of inventory"):
            await call("inventory", Narrowed(dead_letter_id=first), ACTION, Told())
    assert len((await dead_letters.show(VIEW, Narrowed(dead_letter_id=second))).shown) == 1
    assert await dead_letters.discard(VIEW, Narrowed(dead_letter_id=first), ACTION, Told()) == Summary(
        1, 0, 0
    )


async def test_a_list_that_is_cut_says_so(
    world: World, pool: "asyncpg.Pool[asyncpg.Record]", dead_letters: DeadLetters
) -> None:
    await park(pool, garbage(world, 1_100))
    for command in ("list", "show"):
        _, output, errors = await run(world, "dead-letters", command, "--json")
        assert output.count('"letter_id"') == 1_000
        assert "1000 of 1100 shown" in errors
    listed = await dead_letters.listed(VIEW, Narrowed(error_class="unreadable-record"))
    assert (len(listed.shown), listed.total) == (1_000, 1_100)


class AwayRetrying:
    """PostgreSQL goes away after so many dead letters."""

    def __init__(self, dead_letters_before: int) -> None:
        self.tried = 0
        self._dead_letters_before = dead_letters_before

    async def _try(self) -> Released:
        self.tried += 1
        if self.tried > self._dead_letters_before:
            raise Unavailable("read model: it is away")
        return Released(1, 0)

    async def retry(self, *_: Any, **__: Any) -> Released:
        return await self._try()

    async def discard(self, *_: Any, **__: Any) -> Released:
        return await self._try()

    async def retry_single(self, *_: Any, **__: Any) -> Released:
        return await self._try()

    async def discard_single(self, *_: Any, **__: Any) -> Released:
        return await self._try()


class DefectiveRetrying(AwayRetrying):
    """The tenth dead letter meets an error that nobody foresaw."""

    async def _try(self) -> Released:
        self.tried += 1
        if self.tried == self._dead_letters_before:
            raise ZeroDivisionError("a defect")
        return Released(1, 0)


async def test_an_unforeseen_error_keeps_no_other_dead_letter_from_its_turn(
    world: World, pool: "asyncpg.Pool[asyncpg.Record]"
) -> None:
    await park(pool, garbage(world, 30))
    stored = PostgresDeadLetters(pool)
    defective = DefectiveRetrying(dead_letters_before=10)
    for act in ("retry", "discard"):
        told = Told()
        dead_letters = DeadLetters(
            stored, PostgresAuditLog(pool), {VIEW: lambda: defective}, world.topic, PARTITIONS
        )
        defective.tried = 0
        assert await getattr(dead_letters, act)(VIEW, ALL, ACTION, told) == Summary(29, 1, parked_now=30)
        (failed,) = told.failed
        assert failed.cause == "ZeroDivisionError: a defect"


async def test_an_outage_ends_a_run_that_says_how_far_it_was(
    world: World, pool: "asyncpg.Pool[asyncpg.Record]"
) -> None:
    await park(pool, garbage(world, 30))
    retrying = AwayRetrying(dead_letters_before=10)
    dead_letters: Any = PostgresDeadLetters(pool)
    away = DeadLetters(
        dead_letters, PostgresAuditLog(pool), {VIEW: lambda: retrying}, world.topic, PARTITIONS
    )
    told = Told()
    summary = await away.retry(VIEW, ALL, ACTION, told)
    assert summary == Summary(10, 3, parked_now=30, stopped_by="read model: it is away")
    assert told.sizes == [13]
    assert retrying.tried == 13


async def test_the_operations_port_says_the_same(
    world: World, pool: "asyncpg.Pool[asyncpg.Record]", dead_letters: DeadLetters
) -> None:
    await park(pool, garbage(world, 1_001))
    absent: Any = None
    endpoints = operator_endpoints(Operations(dead_letters, absent, absent))

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await endpoints[scope["method"], scope["path"]](scope, receive, send)

    wanted = {"projection": VIEW, "reason": "spoilt"}
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://port") as port:
        answer = await port.get("/dead-letters")
        assert (len(answer.json()), answer.headers["x-total-count"]) == (1_000, "1001")
        answer = await port.post("/dead-letters/discard", json={**wanted, "letter": 999_999})
        assert (answer.status_code, answer.json()["type"]) == (404, "/problems/not-found")
        assert "there is no dead letter 999999" in answer.json()["detail"]
        answer = await port.post("/dead-letters/retry", json={**wanted, "all": True})
        assert {one["outcome"] for one in answer.json()} == {"failed"}
        assert len(answer.json()) == 1_001
        counts = [answer.headers[f"x-{name}-count"] for name in ("done", "failed", "parked")]
        assert counts == ["0", "1001", "1001"]
        answer = await port.post("/dead-letters/discard", json={**wanted, "all": True})
        assert [answer.headers[f"x-{name}-count"] for name in ("done", "failed", "parked")] == [
            "1001",
            "0",
            "0",
        ]
