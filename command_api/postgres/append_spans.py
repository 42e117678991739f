"""The spans of the group commit: how long a command waited for the call, and how long the call took.

Several commands share a call, so it has a trace of its own. Each sampled command gets its wait and the call
in its own trace, with a link to the shared one. Nothing is kept for a command that is not sampled.
"""

import asyncio
import time
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from command_api.executing.ports import Append, Appended, AppendOutcome
from command_api.postgres.append_watch import AppendWatch, Ask
from shared.telemetry import conventions as c
from shared.telemetry.spans import Attributes, Failure, SpanKind, present_span
from shared.telemetry.trace_context import TraceContext
from shared.telemetry.tracing import LINKS_MAX, past_span

Settled = tuple["Turn | None", Append, "asyncio.Future[AppendOutcome]"]


class Turn(NamedTuple):
    """A sampled command in the queue: its place in its trace, and since when it waits."""

    parent: TraceContext
    since_ns: int

    @classmethod
    def begin(cls) -> "Turn | None":
        """Of the present span; None if it is not recorded."""
        span = present_span()
        if not span.is_recorded or span.context is None:
            return None
        return cls(span.context, time.time_ns())


class AppendSpans(NamedTuple):
    """One call of the append function, of which at least one command is sampled."""

    began_ns: int
    watch: AppendWatch

    @classmethod
    def begin(cls, turns: Iterable[Turn | None], ask: Ask) -> "AppendSpans | None":
        """The call begins now. `ask` tells what it waits for, if it takes long."""
        is_sampled = any(turn is not None for turn in turns)
        return cls(time.time_ns(), AppendWatch(ask)) if is_sampled else None

    def end(self, commands: Sequence[Settled]) -> None:
        """The call has ended, and the outcomes are known, unless the command is to be written again."""
        ended_ns = time.time_ns()
        seen = self.watch.end()
        waited: Attributes = {} if seen is None else {c.WAITED_FOR: seen}
        sampled = [(turn, append, outcome) for turn, append, outcome in commands if turn is not None]
        call = past_span(
            c.APPEND_CALL, SpanKind.CLIENT, None, self.began_ns, ended_ns,
            {
                c.DB_SYSTEM: c.POSTGRESQL,
                c.DB_BATCH_SIZE: len(commands),
                c.EVENTS: sum(len(append.events) for _, append, _ in commands),
                **waited,
            },
            links=[turn.parent for turn, _, _ in sampled[:LINKS_MAX]],
        )  # fmt: skip
        for turn, append, outcome in sampled:
            past_span(c.WAIT_FOR_APPEND, SpanKind.INTERNAL, turn.parent, turn.since_ns, self.began_ns)
            attributes, failure = _outcome(append, outcome)
            past_span(
                c.APPEND, SpanKind.CLIENT, turn.parent, self.began_ns, ended_ns, {**attributes, **waited},
                links=[call.context] if call.context else (), failure=failure,
            )  # fmt: skip


def _outcome(append: Append, outcome: "asyncio.Future[AppendOutcome]") -> tuple[Attributes, Failure | None]:
    attributes = {
        c.DB_SYSTEM: c.POSTGRESQL,
        c.PRODUCT_ID: str(append.product_id),
        c.EVENT_TYPE: [event.encoded.event_type for event in append.events],
    }
    if not outcome.done():
        return attributes, "the connection was lost; written again with the next call"
    if outcome.cancelled():
        return {**attributes, c.OUTCOME: "the caller has left"}, None
    error = outcome.exception()
    if error is not None:
        return attributes, error if isinstance(error, Exception) else repr(error)
    result = outcome.result()
    attributes[c.OUTCOME] = type(result).__name__
    if isinstance(result, Appended):
        return {
            **attributes,
            c.STREAM_VERSION: result.stream_version,
            c.LOG_POSITION: result.last_position,
        }, None
    return attributes, None
