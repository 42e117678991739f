"""Reads endpoints and their deliveries. Both APIs serve these reads: a gateway with one address sends every
GET to the query API.

Nothing here has a key, not even a sealed one.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Literal, NamedTuple, Protocol
from uuid import UUID

import msgspec

from shared.webhooks.endpoint import EndpointDocument
from shared.webhooks.errors import EndpointNotFound

Status = Literal["enabled", "paused", "disabled"]
DeliveryState = Literal["waiting", "delivered", "failed", "cancelled"]
NO_PRODUCT = UUID(int=0)
"""Of a test message."""


class Viewer(NamedTuple):
    """Who reads. `sees_all`: other callers' endpoints, too."""

    subject: str
    sees_all: bool


class KnownEndpoint(NamedTuple):
    """An endpoint without its keys. `old_key_expires_at`: until when the key before the present one signs."""

    endpoint_id: UUID
    stream_version: int
    owner: str
    document: EndpointDocument
    old_key_expires_at: datetime | None


class Delivering(NamedTuple):
    """How far deliveries to an endpoint are. `stream_version`: of the endpoint that the projector has seen.
    All matching events up to `log_position` are in its queue.
    """

    stream_version: int
    log_position: int
    failing_products: int = 0
    waiting: int = 0
    oldest_waiting_seconds: float | None = None
    last_success_at: datetime | None = None
    last_failure_at: datetime | None = None
    disabled_at: datetime | None = None
    disabled_reason: str | None = None


class Attempt(msgspec.Struct, frozen=True):
    """One try to send a message. `status` None: no answer came, and `error` says why."""

    at: datetime
    status: int | None = None
    milliseconds: int | None = None
    response: str | None = None
    error: str | None = None


class Delivery(NamedTuple):
    """A message to an endpoint. `log_position` None: a test message."""

    delivery_id: int
    webhook_id: str
    event_type: str
    product_id: UUID
    log_position: int | None
    event_time: datetime
    state: DeliveryState
    attempts: Sequence[Attempt]
    next_attempt_at: datetime | None


class ShownEndpoint(NamedTuple):
    """An endpoint, and how far its deliveries are."""

    endpoint: KnownEndpoint
    delivering: Delivering

    @property
    def status(self) -> Status:
        """Disabled by us, or as its owner wants it. A newer change may have enabled it: the projector will
        see it.
        """
        if self.delivering.disabled_at and self.delivering.stream_version >= self.endpoint.stream_version:
            return "disabled"
        return "enabled" if self.endpoint.document.is_enabled else "paused"


class EndpointReads(Protocol):
    """The endpoints in the event store. Raises what the API answers an outage with."""

    async def page(self, owner: str | None, after: UUID | None, rows_max: int) -> Sequence[KnownEndpoint]:
        """In the order of their ids. `owner` None: everybody's."""
        ...

    async def find(self, endpoint_id: UUID) -> KnownEndpoint | None:
        """None: absent or deleted."""
        ...


class DeliveryReads(Protocol):
    """The deliveries in the read model. Raises what the API answers an outage with."""

    async def states(self, endpoint_ids: Sequence[UUID]) -> Mapping[UUID, Delivering]:
        """Without those that the projector has not seen yet."""
        ...

    async def page(
        self, endpoint_id: UUID, state: DeliveryState | None, before: int | None, rows_max: int
    ) -> Sequence[Delivery]:
        """Newest first."""
        ...

    async def log_position(self, endpoint_id: UUID, delivery_id: int) -> int | None:
        """Of the delivery's event; None: a test message. Raises `DeliveryNotFound`."""
        ...


class WebhookReads:
    """The use case."""

    def __init__(self, endpoints: EndpointReads, deliveries: DeliveryReads) -> None:
        self._endpoints = endpoints
        self._deliveries = deliveries

    async def endpoints(
        self, viewer: Viewer, after: UUID | None, items_max: int
    ) -> tuple[Sequence[ShownEndpoint], UUID | None]:
        """A page, and the id after which the next one begins."""
        owner = None if viewer.sees_all else viewer.subject
        found = await self._endpoints.page(owner, after, items_max + 1)
        items = found[:items_max]
        states = await self._deliveries.states([each.endpoint_id for each in items]) if items else {}
        shown = [ShownEndpoint(each, states.get(each.endpoint_id) or _unseen(each)) for each in items]
        return shown, items[-1].endpoint_id if len(found) > items_max else None

    async def endpoint(self, viewer: Viewer, endpoint_id: UUID) -> ShownEndpoint:
        """Raises `EndpointNotFound`."""
        endpoint = await self._visible(viewer, endpoint_id)
        states = await self._deliveries.states([endpoint_id])
        return ShownEndpoint(endpoint, states.get(endpoint_id) or _unseen(endpoint))

    async def deliveries(
        self,
        viewer: Viewer,
        endpoint_id: UUID,
        state: DeliveryState | None,
        before: int | None,
        items_max: int,
    ) -> tuple[Sequence[Delivery], int | None]:
        """A page, and the delivery before which the next one begins. Raises `EndpointNotFound`."""
        await self._visible(viewer, endpoint_id)
        found = await self._deliveries.page(endpoint_id, state, before, items_max + 1)
        items = found[:items_max]
        return items, items[-1].delivery_id if len(found) > items_max else None

    async def _visible(self, viewer: Viewer, endpoint_id: UUID) -> KnownEndpoint:
        endpoint = await self._endpoints.find(endpoint_id)
        if endpoint is None or not (viewer.sees_all or endpoint.owner == viewer.subject):
            raise EndpointNotFound
        return endpoint


def _unseen(endpoint: KnownEndpoint) -> Delivering:
    """The projector has not seen this endpoint yet, and will begin there."""
    return Delivering(0, endpoint.document.starts_after)
