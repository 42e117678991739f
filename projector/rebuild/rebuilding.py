"""What a rebuild needs to know of the projection that it rebuilds."""

from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from typing import Any, Generic, NamedTuple, Protocol
from uuid import UUID

from projector.applying.ports import Fold, S
from projector.rebuild.ports import Records, Shadow
from projector.rebuild.verify import Verification
from projector.stores import Stores


class Target(NamedTuple, Generic[S]):
    """The shadow that is filled, the record of how far it is, and the fold that fills it.

    `next_generation` numbers the shadow of a new rebuild; 0 where shadows have no number.
    """

    shadow: Shadow[S]
    records: Records
    fold: Fold[S]
    next_generation: Callable[[], Awaitable[int]]


class Rebuilding(Protocol):
    """How one projection is rebuilt and verified. Picklable: each process of a rebuild is given it."""

    @property
    def name(self) -> str:
        """The projection's name."""

    @property
    def why_left_out(self) -> str:
        """Why a proof can leave products out, for people."""

    def target(self, stores: Stores, owner_id: UUID) -> Target[Any]:
        """What a rebuild fills, for whoever has its lock; `owner_id` is what the lock gave."""

    def verification(
        self, stores: Stores, told: Callable[[int], None]
    ) -> AbstractAsyncContextManager[Verification[Any]]:
        """Compares the live view with the log; `told` counts products. Raises `Unavailable`, `CannotGoOn`."""

    async def wait_until_live_has(self, position: int, stores: Stores, seconds_max: float) -> None:
        """Until the running projection has applied so much. Raises `Unavailable`, `CannotGoOn`."""
