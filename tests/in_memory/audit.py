"""The audit log in memory."""

import itertools
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from uuid import UUID

from projector.applying.dead_letters import Action
from projector.audit.ports import Choice, RecordedAction, Result
from projector.errors import ProjectorError


class InMemoryAuditLog:
    """Implements `audit.ports.AuditLog`. `failure`, where set, is raised by everything."""

    def __init__(self) -> None:
        self.failure: ProjectorError | None = None
        self._actions: list[RecordedAction] = []
        self._unlogged: list[RecordedAction] = []
        self._numbers = itertools.count(1)

    async def record(
        self, action: Action, projection: str, result: Result, detail: str, product_id: UUID | None = None
    ) -> None:
        self._fail()
        recorded = RecordedAction(
            next(self._numbers), datetime.now(UTC), action.actor, action.action, projection, product_id,
            action.reason, result, detail,
        )  # fmt: skip
        self._actions.append(recorded)
        self._unlogged.append(recorded)

    async def recorded(self, choice: Choice, actions_max: int) -> Sequence[RecordedAction]:
        self._fail()
        return [one for one in reversed(self._actions) if _fits(one, choice)][:actions_max]

    @asynccontextmanager
    async def unlogged(self, actions_max: int) -> AsyncIterator[Sequence[RecordedAction]]:
        self._fail()
        taken = self._unlogged[:actions_max]
        del self._unlogged[:actions_max]
        try:
            yield taken
        except BaseException:
            self._unlogged[:0] = taken
            raise

    def _fail(self) -> None:
        if self.failure is not None:
            raise self.failure


def _fits(one: RecordedAction, choice: Choice) -> bool:
    return (
        (choice.projection is None or one.projection == choice.projection)
        and (choice.actor is None or one.actor == choice.actor)
        and (choice.since is None or one.acted_at >= choice.since)
        and (choice.before is None or one.action_id < choice.before)
    )
