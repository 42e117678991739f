"""The queues of all endpoints. Whoever changes the queue of an endpoint locks its row first."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple
from uuid import UUID

import msgspec

from projector.postgres.failures import translated
from projector.webhooks.ports import Answer, Delivery, Disabled, Endpoint, Message, Result, Waiting
from projector.webhooks.postgres.endpoints import add_messages
from shared.postgres.sql import load_sql

if TYPE_CHECKING:
    import asyncpg

_SERVER = "read model"
_PACKAGE = "projector.webhooks.postgres"
_encode = msgspec.json.Encoder().encode


class PostgresQueue:
    """Implements `Queue`."""

    def __init__(self, pool: "asyncpg.Pool[asyncpg.Record]") -> None:
        self._pool = pool

    async def waiting_messages(self, endpoint_id: UUID, messages_max: int) -> int:
        with translated(_SERVER):
            sql = load_sql(_PACKAGE, "count_waiting_messages")
            return int(await self._pool.fetchval(sql, endpoint_id, messages_max))

    async def add(self, endpoint: Endpoint, messages: Sequence[Message], log_position: int) -> bool:
        with translated(_SERVER):
            async with self._pool.acquire() as connection, connection.transaction():
                sql = load_sql(_PACKAGE, "move_endpoint")
                where = (endpoint.endpoint_id, endpoint.log_position, log_position)
                if await connection.fetchval(sql, *where) is None:
                    return False
                await add_messages(connection, endpoint.endpoint_id, messages)
        return True

    async def claim(self, places: Mapping[UUID, int], claim_id: UUID, seconds: float) -> Sequence[Delivery]:
        with translated(_SERVER):
            sql = load_sql(_PACKAGE, "claim_lanes")
            lanes = await self._pool.fetch(sql, claim_id, seconds, list(places), list(places.values()))
            if not lanes:
                return ()
            columns = map(list, zip(*map(tuple, lanes), strict=True))
            rows = await self._pool.fetch(load_sql(_PACKAGE, "select_first_messages"), *columns)
            found = [_delivery(row) for row in rows]
            if len(found) < len(lanes):
                await self._release_empty(lanes, found, claim_id)
        return found

    async def _release_empty(
        self, lanes: "Sequence[asyncpg.Record]", found: Sequence[Delivery], claim_id: UUID
    ) -> None:
        """A product without a waiting message: it was cancelled while it was being sent."""
        full = {(each.endpoint_id, each.product_id) for each in found}
        empty = [lane for lane in lanes if (lane["endpoint_id"], lane["product_id"]) not in full]
        async with self._pool.acquire() as connection, connection.transaction():
            endpoint_ids = [lane["endpoint_id"] for lane in empty]
            await connection.execute(load_sql(_PACKAGE, "lock_endpoints"), endpoint_ids)
            await connection.execute(
                load_sql(_PACKAGE, "release_lanes"),
                [claim_id] * len(empty),
                [lane["product_id"] for lane in empty],
                endpoint_ids,
                [None] * len(empty),
            )

    async def settle(self, results: Sequence[Result], disable_after_seconds: float) -> None:
        told = _told(results)
        with translated(_SERVER):
            async with self._pool.acquire() as connection, connection.transaction():
                await connection.execute(load_sql(_PACKAGE, "lock_endpoints"), list(told))
                await connection.execute(
                    load_sql(_PACKAGE, "settle_deliveries"),
                    [each.delivery.delivery_id for each in results],
                    [each.state for each in results],
                    [_described(each.answer) for each in results],
                )
                await connection.execute(
                    load_sql(_PACKAGE, "release_lanes"),
                    [each.claim_id for each in results],
                    [each.delivery.product_id for each in results],
                    [each.delivery.endpoint_id for each in results],
                    [each.retry_seconds for each in results],
                )
                columns = map(list, zip(*told.values(), strict=True))
                sql = load_sql(_PACKAGE, "tell_endpoints")
                await connection.execute(sql, list(told), *columns, disable_after_seconds)

    async def waiting(self) -> Waiting:
        with translated(_SERVER):
            row = await self._pool.fetchrow(load_sql(_PACKAGE, "count_waiting"))
        assert row is not None, "a query without a condition returns its row"
        return Waiting._make(row)

    async def untold(self) -> Sequence[Disabled]:
        with translated(_SERVER):
            rows = await self._pool.fetch(load_sql(_PACKAGE, "select_untold_endpoints"))
        return [Disabled(UUID(int=row[0].int), row[1], row[2]) for row in rows]

    async def told(self, endpoint_ids: Collection[UUID]) -> None:
        with translated(_SERVER):
            await self._pool.execute(load_sql(_PACKAGE, "mark_told"), list(endpoint_ids))

    async def purge(self, days: int, deliveries_max: int) -> int:
        with translated(_SERVER):
            done = await self._pool.execute(load_sql(_PACKAGE, "purge_deliveries"), days, deliveries_max)
        return int(done.removeprefix("DELETE "))


class _Told(NamedTuple):
    """What the results say of one endpoint, in the order of the parameters of `tell_endpoints`."""

    has_succeeded: bool
    has_failed: bool
    throttle_seconds: float | None
    disable_reason: str | None


def _told(results: Sequence[Result]) -> Mapping[UUID, _Told]:
    by_endpoint: dict[UUID, list[Result]] = defaultdict(list)
    for each in results:
        by_endpoint[each.delivery.endpoint_id].append(each)
    return {
        endpoint_id: _Told(
            any(each.state == "delivered" for each in its),
            any(each.state != "delivered" for each in its),
            max((each.throttle_seconds for each in its if each.throttle_seconds is not None), default=None),
            next((each.disable_reason for each in its if each.disable_reason is not None), None),
        )
        for endpoint_id, its in by_endpoint.items()
    }


def _delivery(row: "asyncpg.Record") -> Delivery:
    endpoint_id, product_id, *rest = row
    return Delivery(UUID(int=endpoint_id.int), UUID(int=product_id.int), *rest)


def _described(answer: Answer) -> str:
    """One element of the column `attempts`."""
    return _encode(
        {
            "at": answer.at,
            "status": answer.status,
            "milliseconds": answer.milliseconds,
            "response": answer.response,
            "error": answer.error,
        }
    ).decode()
