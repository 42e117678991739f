"""Partitions of the log come and go: archived, removed, brought back, and never silently missing."""

import asyncio
import getpass
import gzip
import json
import os
import sys
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from command_api.archive.app import ArchiveRefused, Order, archive_log, restore_log
from command_api.archive.files import ArchiveBroken
from command_api.archive.postgres.partitions import (
    AnotherJobRuns,
    LogNotReached,
    Partitions,
    opened_partitions,
)
from command_api.executing.ports import NO_STREAM, Append, Appended, VersionConflict
from command_api.postgres.event_store import PostgresEventStore
from command_api.relay.ports import OperatorNeeded
from command_api.relay.postgres.log_tail import PostgresLogTail, TailLimits
from command_api.replay.ports import Selection
from command_api.replay.postgres.replay_log import PostgresReplayLog, ReplayLimits
from projector.errors import CannotGoOn
from projector.rebuild.postgres.log_scan import PostgresLogScan
from shared.contract import events as e
from shared.ops.secret import Secret
from shared.postgres.pool import create_pool
from tests.eventually import eventually
from tests.integration.event_store_world import open_store
from tests.integration.projector_commands import command
from tests.integration.projector_world import World, world
from tests.integration.rebuild_world import Writer, verify, writer
from tests.integration.small_partitions import SMALL_PARTITIONS
from tests.servers import DatabaseDsns
from tests.unit.execute.appends import change, creation
from tests.unit.projector.histories import created, priced

__all__ = ["world", "writer"]
pytestmark = pytest.mark.servers
_ROWS = "SELECT * FROM catalogue.events ORDER BY position"
AT_ONCE = timedelta(0)
DELETED = e.ProductDeleted()


class Shop:
    """A log with ten positions in a partition, its commands, and the job that archives it."""

    def __init__(self, dsns: DatabaseDsns, store: PostgresEventStore, owner: Any, folder: Path) -> None:
        self.dsns = dsns
        self.store = store
        self.owner = owner
        self.folder = folder
        self.said: list[str] = []

    async def create(self, name: str) -> Append:
        """A product with three events."""
        new = creation(name)
        assert isinstance(await self.store.append(new), Appended)
        details = e.ProductDetailsChanged(name=f"{name} now"), e.ProductPublished()
        place = await self.store.load(new.product_id)
        assert isinstance(await self.store.append(change(new.product_id, place, *details)), Appended)
        return new

    async def delete(self, product: Append) -> None:
        place = await self.store.load(product.product_id)
        deletion = change(product.product_id, place, DELETED, releases=product.claims)
        assert isinstance(await self.store.append(deletion), Appended)

    async def relay_all(self) -> int:
        newest = int(await self.owner.fetchval("SELECT last_value FROM catalogue.event_position"))
        await self.owner.execute(
            "INSERT INTO catalogue.relay_cursor VALUES ('kafka', $1)"
            " ON CONFLICT (relay) DO UPDATE SET log_position = excluded.log_position", newest,
        )  # fmt: skip
        await self.owner.execute("SELECT catalogue.ensure_partitions()")
        return newest

    async def archive(self, *, removes: bool = True, deleted_for: timedelta = AT_ONCE) -> int:
        async with self.job() as partitions:
            order = Order(self.folder, removes, deleted_for)
            return (await archive_log(partitions, order, self.said.append)).removed

    async def restore(self, *names: str) -> None:
        async with self.job() as partitions:
            await restore_log(partitions, self.folder, list(names), self.said.append)

    def job(self, lock_seconds_max: float = 30.0) -> Any:
        return opened_partitions(Secret(self.dsns.owner), lock_seconds_max)

    async def partitions(self) -> list[str]:
        return [
            row[0] for row in await self.owner.fetch("SELECT partition_name FROM catalogue.log_partitions()")
        ]

    async def two_gone_partitions(self) -> list[Append]:
        """The first two partitions have only deleted products; a living one follows."""
        season = [await self.create(f"season{number}") for number in range(5)]
        for product in season:
            await self.delete(product)
        living = await self.create("living")
        await self.relay_all()
        return [*season, living]


@pytest.fixture
async def shop(event_store_dsns: DatabaseDsns, tmp_path: Path) -> AsyncIterator[Shop]:
    owner = await asyncpg.connect(event_store_dsns.owner)
    await owner.execute(SMALL_PARTITIONS)
    store = await open_store(event_store_dsns.writer)
    yield Shop(event_store_dsns, store, owner, tmp_path)
    await store.close()
    await owner.close()


async def test_in_a_year_partitions_come_and_go_and_the_archive_has_every_event(shop: Shop) -> None:
    lasting: list[tuple[Append, Any]] = []
    seasons: list[list[Append]] = []
    rows: list[Any] = []
    removed = 0
    for month in range(12):
        seasons.append([await shop.create(f"month{month}-{number}") for number in range(4)])
        if month in (0, 6):
            product = await shop.create(f"lasting{month}")
            lasting.append((product, await shop.store.load(product.product_id)))
        if month > 1:
            for product in seasons[month - 2]:
                await shop.delete(product)
        await shop.relay_all()
        seen = rows[-1]["position"] if rows else 0
        rows += await shop.owner.fetch(
            "SELECT * FROM catalogue.events WHERE position > $1 ORDER BY position", seen
        )
        removed += await shop.archive()
        for product, stream in lasting:
            assert await shop.store.load(product.product_id) == stream
        for product in (one for season in seasons[-2:] for one in season):
            assert len((await shop.store.load(product.product_id)).events) == 3
        for product in (one for season in seasons[:-2] for one in season):
            found = await shop.store.load(product.product_id)
            assert found == NO_STREAM or found.events[-1] == DELETED
            assert await shop.store.find_holder(next(iter(product.claims))) is None
        assert await shop.owner.fetchval("SELECT partitions_ahead FROM catalogue.log_room()") >= 2
    assert removed >= 6
    assert len(await shop.partitions()) < 13
    await shop.restore()
    assert await shop.owner.fetch(_ROWS) == rows
    assert [row["position"] for row in rows] == list(range(1, len(rows) + 1))
    assert await shop.owner.fetchval("SELECT count(*) FROM catalogue.gone_streams") == 0
    for product in seasons[0]:
        assert (await shop.store.load(product.product_id)).events[-1] == DELETED


async def test_an_id_that_is_gone_never_gets_another_history(shop: Shop) -> None:
    season = await shop.two_gone_partitions()
    assert await shop.archive() == 2
    gone = season[0]
    assert await shop.store.load(gone.product_id) == NO_STREAM
    again = creation("again", product_id=gone.product_id)
    assert await shop.store.append(again) == VersionConflict(4)
    assert isinstance(await shop.store.append(creation("season0")), Appended), "its slug is free"


async def test_who_reads_a_log_without_its_beginning_stops_and_names_the_way_back(shop: Shop) -> None:
    living = (await shop.two_gone_partitions())[-1]
    pool = await create_pool(
        shop.dsns.log_reader, application_name="test", size_max=1,
        statement_timeout_seconds=30, connect_timeout_seconds=30,
    )  # fmt: skip
    scan = PostgresLogScan(pool)
    tail = await PostgresLogTail.open(shop.dsns.writer, TailLimits(100, 1_000_000, 30.0))
    replay = await PostgresReplayLog.open(shop.dsns.log_reader, ReplayLimits(1_000_000, 1000, 30.0))
    everything = [len(await scan.slice_rows(0, 23, 1, 0)), len(await tail.read_after(0))]
    assert everything == [23, 23]
    await shop.archive()
    way_back = "positions 0 to 9 .* restore-log events_p000000"
    for reading in (scan.slice_rows(0, 23, 1, 0), scan.tail(5, 23, 100), scan.refuse_removed(0, 23)):
        with pytest.raises(CannotGoOn, match=way_back):
            await reading
    for read in (tail.read_after(0), replay.read_after(0, Selection(1, 23), 100)):
        with pytest.raises(OperatorNeeded, match=way_back):
            await read
    assert len(await tail.read_after(19)) == 4
    chosen = await replay.read_after(0, Selection(1, 23, (living.product_id,)), 100)
    assert len(chosen.events) == 3
    await shop.restore()
    assert [len(await scan.slice_rows(0, 23, 1, 0)), len(await tail.read_after(0))] == everything
    await tail.close()
    await replay.close()
    await pool.close()


async def test_a_product_that_lives_or_was_deleted_lately_keeps_its_partitions(shop: Shop) -> None:
    await shop.two_gone_partitions()
    assert await shop.archive(deleted_for=timedelta(days=365)) == 0
    assert sum("kept, product" in line and "not deleted for 365 days" in line for line in shop.said) == 2
    assert len(list(shop.folder.glob("*.copy.gz"))) == 2
    await shop.owner.execute("UPDATE catalogue.relay_cursor SET log_position = 12")
    assert await shop.archive() == 1, "the relay has passed one of them"


async def test_a_file_that_is_cut_or_changed_is_noticed_and_nothing_is_removed(shop: Shop) -> None:
    await shop.two_gone_partitions()
    await shop.archive(removes=False)
    before = await shop.partitions()
    file = sorted(shop.folder.glob("*.copy.gz"))[0]
    whole = file.read_bytes()
    changed = bytearray(gzip.decompress(whole))
    changed[-40] ^= 1
    for broken in (whole[:-20], gzip.compress(bytes(changed))):
        file.write_bytes(broken)
        with pytest.raises(ArchiveBroken):
            await shop.archive()
        assert await shop.partitions() == before
    file.write_bytes(whole)
    assert await shop.archive() == 2
    file.unlink()
    with pytest.raises(ArchiveBroken):
        await shop.restore("events_p000000")


async def test_a_partition_that_somebody_changed_is_not_removed(shop: Shop) -> None:
    await shop.two_gone_partitions()
    await shop.archive(removes=False)
    await shop.owner.execute("UPDATE catalogue.events SET data = data || ' ' WHERE position = 3")
    with pytest.raises(ArchiveRefused, match="was changed"):
        await shop.archive()


@pytest.mark.parametrize("point", ["note_archived", "begin_removal", "detach", "drop"])
async def test_a_job_that_dies_at_any_point_is_finished_by_the_next_one(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, point: str
) -> None:
    await shop.two_gone_partitions()
    rows = await shop.owner.fetch(_ROWS)

    async def die(*_: Any) -> None:
        raise ConnectionResetError("killed")

    with monkeypatch.context() as dying:
        dying.setattr(Partitions, point, die)
        with pytest.raises(LogNotReached):
            await shop.archive()
    await shop.archive()
    assert (await shop.partitions())[0] == "events_p000002"
    await shop.restore()
    assert await shop.owner.fetch(_ROWS) == rows


async def test_detaching_waits_for_readers_while_appends_go_on_and_a_kill_in_the_middle_is_finished(
    shop: Shop,
) -> None:
    await shop.two_gone_partitions()
    rows = await shop.owner.fetch(_ROWS)
    reader = await asyncpg.connect(shop.dsns.writer)
    await reader.execute("BEGIN; SELECT count(*) FROM catalogue.events")
    job = asyncio.create_task(shop.archive())
    waits = (
        "SELECT pid FROM pg_stat_activity WHERE application_name = 'catalogue-archive' "
        "AND datname = current_database() AND wait_event_type = 'Lock'"
    )

    async def detaching() -> int:
        pid = await shop.owner.fetchval(waits)
        assert pid is not None
        return int(pid)

    pid = await eventually(detaching)
    for number in range(15):
        assert isinstance(await shop.store.append(creation(f"meanwhile{number}")), Appended)
    await shop.owner.execute("SELECT pg_terminate_backend($1)", pid)
    with pytest.raises(LogNotReached):
        await job
    await reader.close()
    pending = "SELECT count(*) FROM pg_inherits WHERE inhdetachpending"
    assert await shop.owner.fetchval(pending) == 1
    await shop.archive()
    assert await shop.owner.fetchval(pending) == 0
    assert (await shop.partitions())[0] == "events_p000002"
    await shop.restore()
    assert (await shop.owner.fetch(_ROWS))[: len(rows)] == rows


async def test_of_two_jobs_at_a_time_one_is_refused(shop: Shop) -> None:
    async with shop.job():
        with pytest.raises(AnotherJobRuns):
            await shop.archive()


async def test_the_commands_say_what_they_did_who_asked_for_it_and_end_with_its_code(shop: Shop) -> None:
    await shop.two_gone_partitions()

    async def run(*arguments: str) -> tuple[int | None, str]:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "command_api", *arguments, "--folder", str(shop.folder),
            env=os.environ | {"EVENT_STORE_MIGRATE_DSN": shop.dsns.owner},
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        )  # fmt: skip
        said, _ = await process.communicate()
        return process.returncode, said.decode()

    ann = "--actor", "ann", "--reason", "the disk is full"
    code, said = await run("archive-log", "--remove", "--deleted-days", "0", *ann)
    assert code == 0, said
    assert "events_p000001: removed, 10 events; restore-log events_p000001 brings it back" in said
    assert _acts(said) == [
        ("archive-log", "ann", "the disk is full", "started", ""),
        ("archive-log", "ann", "the disk is full", "done", "2 partitions archived, 2 removed"),
    ]
    code, said = await run("restore-log", "events_p000000")
    assert (code, "events_p000000: restored, 9 events" in said) == (0, True), said
    assert _acts(said)[1] == ("restore-log", getpass.getuser(), "", "done", "1 partitions restored")
    code, said = await run("restore-log", "events_p000000", *ann)
    assert (code, "events_p000000 is there" in said) == (1, True), said
    assert _acts(said)[1][3:] == ("failed", "events_p000000 is there")
    async with shop.job():
        code, said = await run("archive-log", *ann)
    assert (code, _acts(said)) == (1, []), said


def _acts(said: str) -> list[tuple[str, ...]]:
    lines = [json.loads(line) for line in said.splitlines() if line.startswith("{")]
    fields = "action", "actor", "reason", "result", "detail"
    return [tuple(line[field] for field in fields) for line in lines if line["event"] == "operator action"]


async def test_verify_compares_what_is_left_and_a_rebuild_is_refused_until_the_partition_is_back(
    world: World, writer: Writer, event_store_dsns: DatabaseDsns, tmp_path: Path
) -> None:
    await world.store.execute(SMALL_PARTITIONS)
    said: list[str] = []
    folder, views = tmp_path, ("product_view", "analytics")
    async with world.projecting(*views):
        for number in range(3):
            await writer.happen(created(slug=f"gone-{number}"), priced("2.00"), e.ProductDeleted())
        for number in range(4):
            await writer.happen(created(slug=f"living-{number}"), priced("3.00"), e.ProductPublished())
        await eventually(writer.all_shown)
        await world.store.execute("SELECT setval('catalogue.event_position', $1)", writer.position)
        whole = await verify(world, *views)
        async with opened_partitions(Secret(event_store_dsns.owner), 30.0) as partitions:
            assert (await archive_log(partitions, Order(folder, True, AT_ONCE), said.append)).removed == 1
        found = await verify(world, *views)
        for view in views:
            assert (whole[view]["different"], whole[view]["products"], whole[view]["left_out"]) == (
                0,
                7,
                None,
            )
            assert (found[view]["different"], found[view]["products"]) == (0, 4)
            assert "restore-log events_p000000" in found[view]["left_out"]
        refused = await command(world, "rebuild", "product_view", code=1)
        assert "restore-log events_p000000" in refused
        async with opened_partitions(Secret(event_store_dsns.owner), 30.0) as partitions:
            await restore_log(partitions, folder, [], said.append)
        again = await verify(world, *views)
        assert {view: again[view]["left_out"] for view in views} == dict.fromkeys(views)
        assert {view: again[view]["products"] for view in views} == dict.fromkeys(views, 7)
