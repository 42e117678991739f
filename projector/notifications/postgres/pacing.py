"""Plans mails in PostgreSQL, with the recipients' rows locked: one batch plans at a time, in all processes.

An event has one row for each recipient, in a single mail or a digest: so it is in one of them only, also as a
duplicate.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any
from uuid import UUID

from projector.notifications.pace import Pace, PaceLimits, Plan, Telling, plan
from projector.postgres.failures import translated
from shared.postgres.sql import load_sql

if TYPE_CHECKING:
    import asyncpg
    from asyncpg.pool import PoolConnectionProxy

_SERVER = "read model"
_PACKAGE = "projector.notifications.postgres"
_NOBODY = UUID(int=0)
_MailRow = tuple[UUID, str, str, UUID, str, int | None, int]


class PostgresPacing:
    """Implements `Pacing`."""

    def __init__(self, pool: "asyncpg.Pool[asyncpg.Record]", limits: PaceLimits) -> None:
        self._pool = pool
        self._limits = limits

    async def plan(self, tellings: Sequence[Telling], recipients: Sequence[str]) -> Collection[UUID]:
        """A handful of statements, however many events there are."""
        with translated(_SERVER):
            async with self._pool.acquire() as connection, connection.transaction():
                return await self._plan(connection, tellings, recipients)

    async def _plan(
        self,
        connection: "PoolConnectionProxy[asyncpg.Record]",
        tellings: Sequence[Telling],
        recipients: Sequence[str],
    ) -> Collection[UUID]:
        paces = await _locked(connection, recipients)
        event_ids = [one.event_id for one in tellings]
        rows = await connection.fetch(
            load_sql(_PACKAGE, "select_notification_states"), event_ids, list(recipients)
        )
        states = {(row["event_id"], row["recipient"]): row["state"] for row in rows}
        plans = {}
        for row in paces:
            recipient = row["recipient"]
            new = [one for one in tellings if (one.event_id, recipient) not in states]
            pace = Pace(row["window_ends_at"], row["single_mails"], row["has_burst"])
            plans[recipient] = plan(pace, new, row["asked_at"], self._limits)
        mails = list(_mail_rows(plans, await _gatherings(connection, plans)))
        if mails:
            sql = load_sql(_PACKAGE, "plan_notifications")
            await connection.execute(sql, *map(list, zip(*mails, strict=True)), _NOBODY)
            moved = [(name, one.pace.window_ends_at, one.pace.single_mails) for name, one in plans.items()]
            sql = load_sql(_PACKAGE, "move_notification_paces")
            await connection.execute(sql, *map(list, zip(*moved, strict=True)))
        states |= {(event_id, recipient): state for event_id, recipient, _, _, state, _, _ in mails}
        return {
            one for one in event_ids if all(states[one, recipient] == "gathered" for recipient in recipients)
        }


async def _locked(
    connection: "PoolConnectionProxy[asyncpg.Record]", recipients: Sequence[str]
) -> Sequence["asyncpg.Record"]:
    sql = load_sql(_PACKAGE, "lock_notification_paces")
    paces = await connection.fetch(sql, list(recipients))
    if len(paces) == len(recipients):
        return paces
    await connection.execute(load_sql(_PACKAGE, "add_notification_paces"), list(recipients))
    return await connection.fetch(sql, list(recipients))


async def _gatherings(
    connection: "PoolConnectionProxy[asyncpg.Record]", plans: Mapping[str, Plan]
) -> Mapping[tuple[str, str], int]:
    """The id of each gathering, by recipient and import id."""
    wanted: list[tuple[Any, ...]] = [
        (recipient, import_id, one.due_at[import_id], len(tellings))
        for recipient, one in plans.items()
        for import_id, tellings in one.gathered.items()
    ]
    if not wanted:
        return {}
    sql = load_sql(_PACKAGE, "open_notification_gatherings")
    rows = await connection.fetch(sql, *map(list, zip(*wanted, strict=True)))
    return {(row["recipient"], row["import_id"]): row["gathering_id"] for row in rows}


def _mail_rows(plans: Mapping[str, Plan], gatherings: Mapping[tuple[str, str], int]) -> Iterator[_MailRow]:
    """The arguments of `plan_notifications.sql` without the last."""
    for recipient, one in plans.items():
        for telling in one.singles:
            yield _mail_row(telling, recipient, "planned", None)
        for import_id, tellings in one.gathered.items():
            for telling in tellings:
                yield _mail_row(telling, recipient, "gathered", gatherings[recipient, import_id])


def _mail_row(telling: Telling, recipient: str, state: str, gathering_id: int | None) -> _MailRow:
    event_id, product_id, kind, log_position, _ = telling
    return event_id, recipient, kind, product_id, state, gathering_id, log_position
