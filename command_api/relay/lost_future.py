"""A log that was restored to an earlier point is not published into topics that have what it lost."""

from command_api.relay.ports import LogTail, OperatorNeeded
from shared.contract.recorded_event import RecordedEvent


async def refuse_lost_future(log: LogTail, newest: RecordedEvent | None) -> None:
    """A log that was restored to an earlier point gives the positions of what it lost to other events, which
    consumers would take for duplicates. Raises `OperatorNeeded`.
    """
    if newest is None:
        return
    at = newest.log_position
    there = [one for one in await log.read_after(at - 1) if one.log_position == at]
    if not there or there[0].metadata.event_id != newest.metadata.event_id:
        what = "has another event there" if there else "ends before"
        raise OperatorNeeded(
            f"the topics have an event at position {at}, and the log {what}: the log was restored from a "
            "backup. python -m command_api renew-log-id makes it another log (docs/recovery/log-restored.md)"
        )
