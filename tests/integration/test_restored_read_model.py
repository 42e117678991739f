"""The read model is back from a backup, and has forgotten which mails were sent since: none comes twice."""

from collections import Counter
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from shared.ops.secret import Secret
from tests.eventually import eventually
from tests.integration.projector_commands import command, command_json
from tests.integration.projector_world import World, product_id_in, world
from tests.mail_server import MailServer, mail_server
from tests.unit.projector.histories import created, history

__all__ = ["world"]
pytestmark = pytest.mark.servers
WHY = ("--reason", "the read model is restored", "--actor", "anna")
MAILS = "notifications"
DELAY = "5s"
_TABLES = (
    "notification", "notification_gathering", "notification_digest", "notification_pace", "projection_lag",
)  # fmt: skip


@pytest_asyncio.fixture
async def mails(world: World) -> AsyncIterator[MailServer]:
    """A mail server, and a projector that is told of it; `world.settings` is changed."""
    async with mail_server() as server:
        world.settings = world.settings.model_copy(
            update={
                "smtp_url": Secret(server.url),
                "notification_recipients": "ann@x.test,bob@x.test",
                "notification_single_mails_max": 3,
                "notification_digest_seconds": 3600.0,
                "notification_retry_delays": DELAY,
                "read_url": "http://read.test",
                "session_timeout_seconds": 2.0,
            }
        )
        yield server


async def _back_up(world: World) -> None:
    await world.views.execute("CREATE SCHEMA backup")
    for table in _TABLES:
        await world.views.execute(f"CREATE TABLE backup.{table} AS TABLE views.{table}")


async def _restore(world: World) -> None:
    for table in _TABLES:
        await world.views.execute(f"DELETE FROM views.{table}")
        await world.views.execute(
            f"INSERT INTO views.{table} OVERRIDING SYSTEM VALUE SELECT * FROM backup.{table}"
        )


async def _digests_are_due(world: World) -> None:
    await world.views.execute("UPDATE views.notification_pace SET digest_not_before = 'epoch'")
    await world.views.execute("UPDATE views.notification_gathering SET due_at = 'epoch'")


async def _came(mails: MailServer, count: int) -> None:
    assert len(mails.taken) == count, mails.subjects()


def _none_came_twice(mails: MailServer) -> None:
    counts = Counter((one.recipient, one.subject) for one in mails.taken)
    assert [one for one, count in counts.items() if count > 1] == []


async def _reported(world: World, position: int) -> None:
    sql = "SELECT max(log_position) FROM views.projection_lag WHERE projection = 'notifications'"
    assert await world.views.fetchval(sql) == position


async def _one_mail_waits_in_the_retry_topic(world: World) -> None:
    sql = "SELECT count(*) FROM views.notification WHERE state = 'failed'"
    assert await world.views.fetchval(sql) == 1


async def test_no_mail_comes_twice_after_a_backup_was_restored(world: World, mails: MailServer) -> None:
    first, second, third, fourth, later = (
        history(product_id_in(3), created(f"Shirt {number}")) for number in range(5)
    )
    async with world.projecting(MAILS):
        await world.happen(first)
        await eventually(lambda: _came(mails, 2))
        mails.then("accept", "RCPT:450 later")
        await world.happen(second)
        await eventually(lambda: _one_mail_waits_in_the_retry_topic(world))
        await eventually(lambda: _came(mails, 3))
        await world.happen(third)
        await eventually(lambda: _came(mails, 5))
        await eventually(lambda: _reported(world, third[0].log_position))
    await _back_up(world)
    async with world.projecting(MAILS):
        # The window is full: a digest of one event. And the mail that waited is sent at last.
        await world.happen(fourth)
        await eventually(lambda: _came(mails, 6))
        await eventually(lambda: _reported(world, fourth[0].log_position))
        await _digests_are_due(world)
        await eventually(lambda: _came(mails, 8))
    await _restore(world)
    said = await command(world, "reposition", "--all", "--restored", *WHY)
    assert "notifications: 0 events applied from the log" in said
    await _digests_are_due(world)
    await world.views.execute("UPDATE views.notification_pace SET window_ends_at = 'epoch'")
    async with world.projecting(MAILS):
        await eventually(lambda: _all_began_where_they_were_placed(world))
        await world.happen(later)
        await eventually(lambda: _was_told(mails, "New product: Shirt 4"))
        await eventually(lambda: _nothing_waits(world))
        _none_came_twice(mails)
    (done,) = (await command_json(world, "audit", "--projection", MAILS))["items"]
    assert "no mail is sent about events before" in done["detail"]


async def _all_began_where_they_were_placed(world: World) -> None:
    """In the topic of events and in the retry topic."""
    sql = "SELECT count(*) FROM views.starting_place WHERE projection = 'notifications'"
    assert await world.views.fetchval(sql) == 0


async def _nothing_waits(world: World) -> None:
    for table in ("notification", "notification_digest"):
        sql = f"SELECT count(*) FROM views.{table} WHERE state NOT IN ('sent', 'discarded', 'gathered')"
        assert await world.views.fetchval(sql) == 0
    sql = "SELECT count(*) FROM views.notification_gathering WHERE digest_id IS NULL"
    assert await world.views.fetchval(sql) == 0


async def _was_told(mails: MailServer, subject: str) -> None:
    assert mails.subjects().count(subject) == 2, mails.subjects()
