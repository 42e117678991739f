"""What a webhook endpoint is, as the command API stores it and the projector reads it.

`SealedKey.sealed` is what `sealed_keys.py` made; nobody without its key reads the secret.
"""

from datetime import datetime
from typing import Literal
from uuid import UUID

import msgspec

Signature = Literal["hmac", "ed25519"]


class SealedKey(msgspec.Struct, frozen=True):
    """A signing key. `expires_at`: signs until then; None: it is the present one."""

    sealed: str
    expires_at: datetime | None = None


class EndpointDocument(msgspec.Struct, frozen=True):
    """`types` are stored type names, None: all. `product_ids` None: all. `starts_after` is a log position:
    later events are delivered; PostgreSQL sets it when the endpoint is registered. `keys`: the present one
    first; none for readers, and when the endpoint is deleted.
    """

    url: str
    description: str
    types: tuple[str, ...] | None
    product_ids: tuple[UUID, ...] | None
    signature: Signature
    is_enabled: bool
    public_key: str | None
    created_at: datetime
    updated_at: datetime
    keys: tuple[SealedKey, ...] = ()
    starts_after: int = 0


# Types of the events of an endpoint's stream. The first six change its document.
REGISTERED = "webhook-endpoint-registered"
CHANGED = "webhook-endpoint-changed"
PAUSED = "webhook-endpoint-paused"
ENABLED = "webhook-endpoint-enabled"
KEY_ROTATED = "webhook-endpoint-key-rotated"
DELETED = "webhook-endpoint-deleted"
TEST_REQUESTED = "webhook-test-requested"
"""`data`: {"webhook_id": text}."""
REDELIVERY_REQUESTED = "webhook-redelivery-requested"
"""`data`: {"delivery_id": number} with its {"log_position": number} where it is known and is no test message;
or {"after": log position} for all later events.
"""

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(EndpointDocument).decode


def encoded(document: EndpointDocument) -> str:
    """As JSON text, for a column of type jsonb."""
    return _encode(document).decode()


def decoded(document: str) -> EndpointDocument:
    """Raises `msgspec.ValidationError` for a document that was not made by `encoded`."""
    return _decode(document)
