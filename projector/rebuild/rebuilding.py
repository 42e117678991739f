"""The port through which a rebuild sees the projection that it rebuilds."""

from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from typing import Any, Generic, NamedTuple, Protocol
from uuid import UUID

from projector.applying.ports import Fold, S
from projector.rebuild.ports import Records, Shadow
from projector.rebuild.verify import Verification
from projector.stores import Stores


class Target(NamedTuple, Generic[S]):
    """The shadow, the record of its progress, and the fold that fills it.

    `next_generation` gives the number of a new shadow; 0 if shadows have no number.
    """

    shadow: Shadow[S]
    records: Records
    fold: Fold[S]
    next_generation: Callable[[], Awaitable[int]]


class Rebuilding(Protocol):
    """How one projection is rebuilt and verified. Picklable: each process of a rebuild gets it."""

    @property
    def name(self) -> str:
        """The projection's name."""

    @property
    def shadow_is(self) -> str:
        """For the output: where a shadow is that waits for an operator."""

    @property
    def why_left_out(self) -> str:
        """For the output: why a comparison leaves products out."""

    def target(self, stores: Stores, owner_id: UUID) -> Target[Any]:
        """The shadow that a rebuild fills, for the process that has its lock; `owner_id` is from the lock."""

    def verification(
        self, stores: Stores, report: Callable[[int], None]
    ) -> AbstractAsyncContextManager[Verification[Any]]:
        """Compares view and log; `report` gets product counts. Raises `Unavailable`, `CannotGoOn`."""

    async def wait_until_live_has(self, position: int, stores: Stores, seconds_max: float) -> None:
        """Until the running projection has applied this position. Raises `Unavailable`, `CannotGoOn`."""
