"""A recorded event as a message of Standard Webhooks: `{"type", "timestamp", "data"}`.

`data` is the event exactly as an item of `GET /v1/events`. The specification separates the parts of a type by
dots, our stored names do so by hyphens: `product-price-changed` is `product.price_changed`.
"""

from datetime import datetime
from uuid import UUID

import msgspec

from projector.webhooks.ports import NO_PRODUCT, Message
from shared.contract.recorded_event import RecordedEvent
from shared.kafka.cloud_event_json import event_json
from shared.webhooks.endpoint import EndpointDocument

TEST_TYPE = "webhook.test"


def wants(document: EndpointDocument, event: RecordedEvent) -> bool:
    """Whether the endpoint gets the event."""
    return (document.types is None or event.event_type in document.types) and (
        document.product_ids is None or event.product_id in document.product_ids
    )


def event_message(event: RecordedEvent, log_id: UUID) -> Message:
    """The id is the event's, so that it is the same on every way and at every attempt."""
    body = b'{"type":"%b","timestamp":"%b","data":%b}' % (
        message_type(event.event_type).encode(),
        _time(event.recorded_at).encode(),
        event_json(event, str(log_id).encode()),
    )
    return Message(
        event.product_id,
        str(event.metadata.event_id),
        event.event_type,
        event.log_position,
        event.recorded_at,
        body,
    )


def message_for_test(webhook_id: str, endpoint_id: UUID, requested_at: datetime) -> Message:
    """A message without an event, which an owner requests."""
    body = {"type": TEST_TYPE, "timestamp": _time(requested_at), "data": {"endpoint_id": str(endpoint_id)}}
    return Message(NO_PRODUCT, webhook_id, TEST_TYPE, None, requested_at, msgspec.json.encode(body))


def message_type(event_type: str) -> str:
    """The stored name with a dot after its first part."""
    subject, hyphen, rest = event_type.partition("-")
    return f"{subject}.{rest.replace('-', '_')}" if hyphen else event_type


def _time(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")
