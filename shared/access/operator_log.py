"""The log lines of an operator's command on the event log: who, why, and how it ended.

They are its entry in the audit log: the table of that is in another database.
"""

from shared.ops.logs import get_logger

_log = get_logger(__name__)


class OperatorLog:
    """Of one run. One that ended before its first change did nothing, and is no operator action."""

    def __init__(self, action: str, actor: str, reason: str) -> None:
        self._action = action
        self._actor = actor
        self._reason = reason
        self._is_begun = False

    def started(self) -> None:
        """Before the first change."""
        self._is_begun = True
        self._write("started", "")

    def ended(self, result: str, detail: str) -> None:
        """Nothing, if nothing was begun."""
        if self._is_begun:
            self._write(result, detail)

    def _write(self, result: str, detail: str) -> None:
        _log.info(
            "operator action",
            actor=self._actor,
            action=self._action,
            reason=self._reason,
            result=result,
            detail=detail,
        )
