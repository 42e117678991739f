"""The span of an operator's retry: a trace of its own, with a link to the trace of each dead letter.

It is always recorded: an operator who retries wants to see what happens, and does it rarely.
"""

from uuid import UUID

from projector.applying.dead_letters import Action
from projector.parking.retry import Released, Retrying
from shared.telemetry import conventions as c
from shared.telemetry.spans import Attributes, Span, SpanKind
from shared.telemetry.tracing import trace


class TracedRetrying:
    """A `Retrying` around another one."""

    def __init__(self, projection: str, retrying: Retrying) -> None:
        self._projection = projection
        self._retrying = retrying

    async def retry(self, product_id: UUID, action: Action, *, from_log: bool = False) -> Released:
        with self._span({c.PRODUCT_ID: str(product_id)}) as span:
            return _told(span, await self._retrying.retry(product_id, action, from_log=from_log))

    async def retry_single(
        self, dead_letter_id: int, action: Action, *, resend_unknown: bool = False
    ) -> Released:
        with self._span({c.DEAD_LETTER_ID: dead_letter_id}) as span:
            retried = await self._retrying.retry_single(dead_letter_id, action, resend_unknown=resend_unknown)
            return _told(span, retried)

    async def discard(self, product_id: UUID, action: Action, *, events: int | None = None) -> Released:
        return await self._retrying.discard(product_id, action, events=events)

    async def discard_single(self, dead_letter_id: int, action: Action) -> Released:
        return await self._retrying.discard_single(dead_letter_id, action)

    def _span(self, attributes: Attributes) -> Span:
        attributes = {c.PROJECTION: self._projection, **attributes}
        return trace(
            f"{c.RETRY} {self._projection}", SpanKind.INTERNAL, attributes=attributes, is_sampled=True
        )


def _told(span: Span, released: Released) -> Released:
    span.set({c.RELEASED: released.released, c.LEFT: released.left})
    if released.cause is not None:
        span.fail(released.cause)
    return released
