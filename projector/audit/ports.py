"""The port of the audit log: operator actions are added and read, never changed."""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import Literal, NamedTuple, Protocol
from uuid import UUID

from msgspec import Struct

from projector.applying.dead_letters import Action

Result = Literal["done", "failed", "started", "stopped"]
"""started: a long action has begun, and another entry says how it ended. stopped: by a signal, unfinished."""


class RecordedAction(Struct, frozen=True):
    """One entry. `detail`: the records that it concerned, or why it failed."""

    action_id: int
    acted_at: datetime
    actor: str
    action: str
    projection: str
    product_id: UUID | None
    reason: str
    result: Result
    detail: str


class Choice(NamedTuple):
    """Which entries: those that fit each field that is not None.

    `before`: only those with a smaller id, for the next page.
    """

    projection: str | None = None
    actor: str | None = None
    since: datetime | None = None
    before: int | None = None


class AuditLog(Protocol):
    """Every method raises `Unavailable`."""

    async def record(
        self, action: Action, projection: str, result: Result, detail: str, product_id: UUID | None = None
    ) -> None:
        """Adds an entry in a transaction of its own. An action that changes rows adds its entry with them."""

    async def recorded(self, choice: Choice, actions_max: int) -> Sequence[RecordedAction]:
        """The newest entries first."""

    def unlogged(self, actions_max: int) -> AbstractAsyncContextManager[Sequence[RecordedAction]]:
        """The oldest entries that are not in a process's log yet; they are when the block ends without an
        error. Another process passes over them meanwhile.
        """
