"""Adapter of `Deliveries`: commands do not fail while the read model is away."""

from uuid import UUID

from shared.ops.logs import get_logger
from shared.webhooks.errors import WebhookReadUnavailable
from shared.webhooks.reading import DeliveryReads

_log = get_logger(__name__)


class KnownDeliveries:
    """Asks the reads of deliveries, and assumes the worse where they cannot tell."""

    def __init__(self, reads: DeliveryReads) -> None:
        self._reads = reads

    async def is_disabled(self, endpoint_id: UUID) -> bool:
        """True also if it cannot be read: an event that enables an enabled endpoint does no harm."""
        try:
            states = await self._reads.states([endpoint_id])
        except WebhookReadUnavailable as error:
            _tell(endpoint_id, error)
            return True
        return endpoint_id in states and states[endpoint_id].disabled_at is not None

    async def log_position(self, endpoint_id: UUID, delivery_id: int) -> int | None:
        """Raises `DeliveryNotFound` only if the read model says so."""
        try:
            return await self._reads.log_position(endpoint_id, delivery_id)
        except WebhookReadUnavailable as error:
            _tell(endpoint_id, error)
            return None


def _tell(endpoint_id: UUID, error: WebhookReadUnavailable) -> None:
    reason = str(error.__cause__)
    _log.warning("webhook command without the read model", endpoint_id=str(endpoint_id), reason=reason)
