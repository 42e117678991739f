"""How long a command waits for its append call: the queue before it, times the duration of the calls."""

# How much the newest call counts: an average of about the last five.
_NEWEST_SHARE = 0.2


class AppendWait:
    """Each call takes up to `batch_commands_max` waiting commands, so a command waits for whole calls."""

    def __init__(self, batch_commands_max: int) -> None:
        self._batch_commands_max = batch_commands_max
        self._call_seconds: float | None = None

    def note_call(self, seconds: float) -> None:
        """A call has ended."""
        known = self._call_seconds
        self._call_seconds = seconds if known is None else known + (seconds - known) * _NEWEST_SHARE

    def expected_seconds(self, queued_commands: int) -> float:
        """The wait behind so many commands. 0 if they fit into the next call: that is no queue yet."""
        calls_before = queued_commands // self._batch_commands_max
        return calls_before * (self._call_seconds or 0.0)
