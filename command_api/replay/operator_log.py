"""The log lines of an operator's replay: who, why, what, and how it ended.

They are this command's entry in the audit log. Its role only reads the event store, and must not get the
right to write a table for this. Where a replay runs as a job, its log is collected like any other.
"""

from command_api.replay.app import Order, Outcome
from shared.ops.logs import get_logger

_log = get_logger(__name__)


class OperatorLog:
    """Of one replay. A dry run sends nothing, so it is no operator action."""

    def __init__(self, order: Order, actor: str, reason: str) -> None:
        self._order = order
        self._actor = actor
        self._reason = reason

    def started(self) -> None:
        """Before the first event is sent."""
        self._write("started", "")

    def ended(self, outcome: Outcome) -> None:
        """With the position up to which all is confirmed."""
        confirmed = outcome.tally.confirmed_position if outcome.tally else 0
        sent = f"{outcome.tally.events if outcome.tally else 0} events, confirmed up to position {confirmed}"
        result = "done" if outcome.is_complete else "failed" if outcome.error else "stopped"
        self._write(result, f"{sent}: {outcome.error}" if outcome.error else sent)

    def _write(self, result: str, detail: str) -> None:
        order = self._order
        if order.is_dry_run:
            return
        _log.info(
            "operator action",
            actor=self._actor,
            action="replay",
            reason=self._reason,
            result=result,
            detail=detail,
            topic=order.topic,
            first_position=order.first,
            last_position=order.last,
            product_ids=[str(one) for one in order.product_ids],
            event_types=list(order.event_types),
        )
