"""Bodies of requests as values of commands."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from command_api.webhooks.decide import Changes, Wanted
from command_api.webhooks.http.schemas import WebhookEndpointIn, WebhookEndpointPatch


def wanted(body: WebhookEndpointIn) -> Wanted:
    """A new endpoint."""
    return Wanted(
        body.url, body.description, _types(body.types), _product_ids(body.product_ids), body.signature
    )


def changes(body: WebhookEndpointPatch) -> Changes:
    """Only the fields that were sent."""
    values: dict[str, Any] = {
        "url": body.url,
        "description": body.description or "",
        "types": _types(body.types),
        "product_ids": _product_ids(body.product_ids),
        "is_enabled": body.status == "enabled",
    }
    sent = {"is_enabled" if name == "status" else name for name in body.model_fields_set}
    return Changes(**{name: value for name, value in values.items() if name in sent})


def _types(given: Sequence[str] | None) -> tuple[str, ...] | None:
    return None if given is None else tuple(given)


def _product_ids(given: Sequence[str] | None) -> tuple[UUID, ...] | None:
    return None if given is None else tuple(map(UUID, given))
