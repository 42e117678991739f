"""Each operator action as one line in the log of a projector, so that it reaches the central log.

An operator's command writes to a terminal that nobody collects. So a running projector writes the line, from
the audit log. An entry leaves the queue after its line is written: a crash in between can double a line, but
never lose one.
"""

import asyncio

from projector.audit.ports import AuditLog, RecordedAction
from projector.errors import ProjectorError
from shared.ops.logs import get_logger
from shared.ops.upkeep import Upkeep

_TURN_SECONDS = 1.0
_ACTIONS_PER_TURN_MAX = 100
_DETAIL_CHARACTERS_MAX = 500
_log = get_logger(__name__)


class AuditLogLines:
    """One for a process; several processes share the work."""

    def __init__(self, audit: AuditLog) -> None:
        self._audit = audit
        self._upkeep = Upkeep(
            "audit log lines",
            self.turn,
            _TURN_SECONDS,
            is_outage=lambda error: isinstance(error, ProjectorError),
        )

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop`. After an outage the lines are written later."""
        await self._upkeep.run(stop)

    async def turn(self) -> None:
        """One round. Raises `ProjectorError` for an outage."""
        async with self._audit.unlogged(_ACTIONS_PER_TURN_MAX) as actions:
            for action in actions:
                _write(action)


def _write(action: RecordedAction) -> None:
    _log.info(
        "operator action",
        action_id=action.action_id,
        acted_at=action.acted_at.isoformat(),
        actor=action.actor,
        action=action.action,
        projection=action.projection,
        product_id=None if action.product_id is None else str(action.product_id),
        reason=action.reason,
        result=action.result,
        detail=action.detail[:_DETAIL_CHARACTERS_MAX],
    )
