"""Parking beside a view that is in another store: its transaction begins when there is something to park or
to lock, which is seldom.
"""

from collections.abc import Collection, Sequence
from contextlib import AsyncExitStack
from uuid import UUID

from projector.applying.dead_letters import Action, DeadLetter, OpenParking, Parking, StoredDeadLetter
from projector.applying.records import ErrorClass


class LateParking:
    """Implements `Parking`; the transaction ends with the stack."""

    def __init__(self, open_parking: OpenParking, stack: AsyncExitStack) -> None:
        self._open_parking = open_parking
        self._stack = stack
        self._parking: Parking | None = None

    async def still_parked(self, product_ids: Collection[UUID]) -> set[UUID]:
        return await (await self._open()).still_parked(product_ids)

    async def park(self, dead_letters: Sequence[DeadLetter]) -> None:
        await (await self._open()).park(dead_letters)

    async def parked(self, product_id: UUID) -> Sequence[StoredDeadLetter]:
        return await (await self._open()).parked(product_id)

    async def parked_one(self, dead_letter_id: int) -> StoredDeadLetter | None:
        return await (await self._open()).parked_one(dead_letter_id)

    async def release(self, events: Sequence[StoredDeadLetter], action: Action) -> int:
        return await (await self._open()).release(events, action)

    async def failed_again(self, product_id: UUID, error_class: ErrorClass, cause: str) -> None:
        await (await self._open()).failed_again(product_id, error_class, cause)

    async def failed_alone(self, dead_letter_id: int, error_class: ErrorClass, cause: str) -> None:
        await (await self._open()).failed_alone(dead_letter_id, error_class, cause)

    async def _open(self) -> Parking:
        if self._parking is None:
            self._parking = await self._stack.enter_async_context(self._open_parking())
        return self._parking
