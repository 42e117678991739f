"""The audit log for operators: read it, and record a long action's beginning and end."""

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Sequence
from contextlib import asynccontextmanager
from datetime import datetime

from msgspec import Struct

from projector.applying.dead_letters import Action
from projector.audit.ports import AuditLog, Choice, RecordedAction, Result
from projector.errors import ProjectorError, check_projection

ACTIONS_PER_ANSWER_MAX = 1000


class Audited(Struct, frozen=True):
    """A page of entries, the newest first. `next_cursor`: for the page after it; None: this is the last."""

    items: Sequence[RecordedAction]
    next_cursor: str | None


class Auditing:
    """For the projections of these names."""

    def __init__(self, audit: AuditLog, names: Collection[str]) -> None:
        self._audit = audit
        self._names = names

    async def recorded(self, choice: Choice, actions_max: int) -> Audited:
        """Raises `UnknownProjection`, `Unavailable`."""
        if choice.projection is not None:
            check_projection(choice.projection, self._names)
        found = await self._audit.recorded(choice, actions_max + 1)
        is_last = len(found) <= actions_max
        shown = found[:actions_max]
        return Audited(shown, None if is_last else str(shown[-1].action_id))

    @asynccontextmanager
    async def long_action(
        self, action: Action, projection: str, complain: Callable[[str], None]
    ) -> AsyncIterator[Callable[[str], None]]:
        """Records that the action starts, and how it ends; the block gets a function for the end's detail.

        If its end cannot be recorded, that is a complaint and no error: the action itself has happened, or
        failed for a reason that matters more. If its start cannot be recorded, it does not begin: raises
        `Unavailable`.
        """
        details: list[str] = []
        await self._audit.record(action, projection, "started", "")
        try:
            yield details.append
        except asyncio.CancelledError:
            await self._end(action, projection, "stopped", "", complain)
            raise
        except Exception as error:
            await self._end(action, projection, "failed", str(error) or type(error).__name__, complain)
            raise
        await self._end(action, projection, "done", "; ".join(details), complain)

    async def _end(
        self, action: Action, projection: str, result: Result, detail: str, complain: Callable[[str], None]
    ) -> None:
        try:
            await self._audit.record(action, projection, result, detail)
        except ProjectorError as error:
            complain(f"the audit log lacks the end of this {action.action} ({result}): {error}")


def time_with_zone(text: str) -> datetime:
    """An RFC 3339 time. Raises `ValueError`."""
    try:
        time = datetime.fromisoformat(text)
    except ValueError as error:
        raise ValueError(f"{text!r} is not a time such as 2026-11-28T09:00:00Z") from error
    if time.tzinfo is None:
        raise ValueError(f"{text!r} has no time zone: add Z, or an offset such as +01:00")
    return time
