"""Answers about webhooks, as OpenAPI describes them, and made of what was read."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel, Field

from shared.webhooks.endpoint import EndpointDocument, Signature
from shared.webhooks.reading import NO_PRODUCT, Delivery, DeliveryState, ShownEndpoint, Status


class WebhookDelivering(BaseModel):
    """How far deliveries to an endpoint are."""

    position: int = Field(description="All matching events up to this log position are in its queue.")
    waiting: int = Field(description="Messages in its queue.")
    failing_products: int = Field(
        description="Products whose first waiting message has failed at least once."
    )
    oldest_waiting_seconds: float | None = Field(description="The age of the oldest event in its queue.")
    last_success_at: datetime | None
    last_failure_at: datetime | None


class WebhookEndpointBody(BaseModel):
    """An endpoint as its owner registered it."""

    id: UUID
    url: str
    description: str
    types: list[str] | None = Field(description="Stored type names; null: all.")
    product_ids: list[UUID] | None = Field(description="null: all.")
    signature: Signature
    public_key: str | None = Field(description="Of an ed25519 endpoint: `whpk_…`.")
    old_key_expires_at: datetime | None = Field(
        description="Until when the key before the present one signs, too; null: it does not."
    )
    created_at: datetime
    updated_at: datetime
    version: int


class WebhookEndpoint(WebhookEndpointBody):
    """An endpoint, and how far its deliveries are."""

    status: Status = Field(description="disabled: by us, after failures; set it to enabled to go on.")
    disabled_reason: str | None
    delivery: WebhookDelivering


class WebhookEndpoints(BaseModel):
    """In the order of registration."""

    items: list[WebhookEndpoint]
    next_cursor: str | None


class WebhookAttempt(BaseModel):
    """One try to send a message."""

    at: datetime
    status: int | None = Field(description="null: no answer came.")
    milliseconds: int | None
    response: str | None = Field(description="The beginning of the answer's body.")
    error: str | None


class WebhookDelivery(BaseModel):
    """One message to an endpoint."""

    id: int
    webhook_id: str = Field(description="The id of the event, which the message has as `webhook-id`.")
    type: str = Field(description="The stored type name, or `webhook.test`.")
    product_id: UUID | None = Field(description="null: a test message.")
    position: int | None = Field(description="Of the event in the log; null: a test message.")
    time: datetime = Field(description="When the event was recorded.")
    state: DeliveryState
    attempts: list[WebhookAttempt]
    next_attempt_at: datetime | None = Field(
        description="null: it is settled, or waits for an earlier message of its product."
    )


class WebhookDeliveries(BaseModel):
    """Newest first."""

    items: list[WebhookDelivery]
    next_cursor: str | None


def endpoint_body(
    endpoint_id: UUID, stream_version: int, document: EndpointDocument, old_key_expires_at: datetime | None
) -> dict[str, Any]:
    """The fields of `WebhookEndpointBody`."""
    return {
        "id": endpoint_id,
        "url": document.url,
        "description": document.description,
        "types": document.types,
        "product_ids": document.product_ids,
        "signature": document.signature,
        "public_key": document.public_key,
        "old_key_expires_at": old_key_expires_at,
        "created_at": document.created_at,
        "updated_at": document.updated_at,
        "version": stream_version,
    }


def shown_endpoint(shown: ShownEndpoint) -> dict[str, Any]:
    """The fields of `WebhookEndpoint`."""
    known, state = shown.endpoint, shown.delivering
    body = endpoint_body(known.endpoint_id, known.stream_version, known.document, known.old_key_expires_at)
    return body | {
        "status": shown.status,
        "disabled_reason": state.disabled_reason if shown.status == "disabled" else None,
        "delivery": {
            "position": state.log_position,
            "waiting": state.waiting,
            "failing_products": state.failing_products,
            "oldest_waiting_seconds": state.oldest_waiting_seconds,
            "last_success_at": state.last_success_at,
            "last_failure_at": state.last_failure_at,
        },
    }


def shown_deliveries(deliveries: Sequence[Delivery]) -> list[dict[str, Any]]:
    """The fields of `WebhookDelivery`, each."""
    return [
        {
            "id": each.delivery_id,
            "webhook_id": each.webhook_id,
            "type": each.event_type,
            "product_id": None if each.product_id == NO_PRODUCT else each.product_id,
            "position": each.log_position,
            "time": each.event_time,
            "state": each.state,
            "attempts": each.attempts,
            "next_attempt_at": each.next_attempt_at,
        }
        for each in deliveries
    ]
