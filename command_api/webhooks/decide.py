"""Decides which events a command for a webhook endpoint makes, and what the endpoint is then. Pure.

Nothing changed: no events. Events have no keys, because they stay when the endpoint is deleted.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import msgspec
from msgspec import UNSET, Struct, UnsetType
from msgspec.structs import asdict, replace

from shared.webhooks import endpoint as e


class NewEvent(NamedTuple):
    """`data` is an object of JSON."""

    event_type: str
    data: Mapping[str, Any] = {}


class Decision(NamedTuple):
    """The events, and the document after them."""

    events: Sequence[NewEvent]
    document: e.EndpointDocument
    is_deleted: bool = False


class Wanted(Struct, frozen=True):
    """What a caller registers."""

    url: str
    description: str = ""
    types: tuple[str, ...] | None = None
    product_ids: tuple[UUID, ...] | None = None
    signature: e.Signature = "hmac"


class Changes(Struct, frozen=True):
    """What a caller changes. UNSET: it stays. `is_enabled`: the wanted status."""

    url: str | UnsetType = UNSET
    description: str | UnsetType = UNSET
    types: tuple[str, ...] | UnsetType | None = UNSET
    product_ids: tuple[UUID, ...] | UnsetType | None = UNSET
    is_enabled: bool | UnsetType = UNSET


class Key(NamedTuple):
    """A new signing key, sealed."""

    sealed: str
    public_key: str | None


def register(wanted: Wanted, key: Key, now: datetime) -> Decision:
    """A new endpoint."""
    document = e.EndpointDocument(
        **asdict(wanted),
        is_enabled=True,
        public_key=key.public_key,
        created_at=now,
        updated_at=now,
        keys=(e.SealedKey(key.sealed),),
    )
    data = {**_plain(asdict(wanted)), "public_key": key.public_key}
    return Decision([NewEvent(e.REGISTERED, data)], document)


def change(document: e.EndpointDocument, wanted: Changes, now: datetime, *, is_disabled: bool) -> Decision:
    """`is_disabled`: deliveries have stopped after failures. To enable it is then an event, which lets them
    go on, although its owner has never paused it.
    """
    given = {name: value for name, value in asdict(wanted).items() if value is not UNSET}
    changed = {name: value for name, value in given.items() if value != getattr(document, name)}
    events = []
    details = {name: value for name, value in changed.items() if name != "is_enabled"}
    if details:
        events.append(NewEvent(e.CHANGED, _plain(details)))
    if "is_enabled" in changed or (wanted.is_enabled is True and is_disabled):
        events.append(NewEvent(e.ENABLED if wanted.is_enabled else e.PAUSED))
    return Decision(events, replace(document, **changed, updated_at=now) if events else document)


def rotate_key(
    document: e.EndpointDocument, key: Key, now: datetime, old_key_until: datetime | None
) -> Decision:
    """The present key signs until `old_key_until`, None: no more. A key before that one signs no more."""
    old = () if old_key_until is None else (e.SealedKey(document.keys[0].sealed, old_key_until),)
    changed = replace(
        document, keys=(e.SealedKey(key.sealed), *old), public_key=key.public_key, updated_at=now
    )
    data = {"public_key": key.public_key, "old_key_expires_at": old_key_until}
    return Decision([NewEvent(e.KEY_ROTATED, _plain(data))], changed)


def delete(document: e.EndpointDocument, now: datetime) -> Decision:
    """The document stays, so that the projector sees the deletion; its keys do not."""
    return Decision([NewEvent(e.DELETED)], replace(document, keys=(), updated_at=now), is_deleted=True)


def request_test(document: e.EndpointDocument, webhook_id: str) -> Decision:
    """A test message."""
    return Decision([NewEvent(e.TEST_REQUESTED, {"webhook_id": webhook_id})], document)


def request_redelivery(document: e.EndpointDocument, delivery_id: int, log_position: int | None) -> Decision:
    """One message again. `log_position` None: not known, or a test message."""
    place = {} if log_position is None else {"log_position": log_position}
    return Decision([NewEvent(e.REDELIVERY_REQUESTED, {"delivery_id": delivery_id, **place})], document)


def request_redelivery_after(document: e.EndpointDocument, log_position: int) -> Decision:
    """All later events again."""
    return Decision([NewEvent(e.REDELIVERY_REQUESTED, {"after": log_position})], document)


def _plain(data: Mapping[str, Any]) -> dict[str, Any]:
    """As JSON has it: ids and times as text."""
    plain: dict[str, Any] = msgspec.to_builtins(data)
    return plain
