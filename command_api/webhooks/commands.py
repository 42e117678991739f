"""Executes commands for webhook endpoints: load, decide, append, and again after a version conflict."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from command_api.webhooks import decide
from command_api.webhooks.decide import Changes, Decision, Wanted
from command_api.webhooks.errors import (
    EndpointKeepsChanging,
    EndpointVersionDiffers,
    TooManyEndpoints,
    UnknownEventTypes,
)
from command_api.webhooks.ports import Append, Deliveries, Stored, UrlRule, WebhookStore
from shared.contract.codec import STORED_TYPES
from shared.webhooks.endpoint import EndpointDocument, Signature
from shared.webhooks.errors import EndpointNotFound
from shared.webhooks.sealed_keys import SealedKeys
from shared.webhooks.signatures import new_key

EVENT_TYPES = tuple(each.event_type for each in STORED_TYPES)


class Owner(NamedTuple):
    """Who commands. `may_change_all`: other callers' endpoints, too."""

    subject: str
    may_change_all: bool


class Target(NamedTuple):
    """The endpoint of a command. `versions_wanted` None: any (If-Match)."""

    owner: Owner
    endpoint_id: UUID
    versions_wanted: frozenset[int] | None = None


class Done(NamedTuple):
    """What the endpoint is now. `secret`: of a new HMAC key; it is never shown again."""

    endpoint_id: UUID
    stream_version: int
    document: EndpointDocument
    secret: str | None = None


class WebhookCommands:
    """The use case. `now` and `new_id` are the clock and the source of ids."""

    def __init__(
        self,
        store: WebhookStore,
        keys: SealedKeys,
        urls: UrlRule,
        deliveries: Deliveries,
        *,
        now: Callable[[], datetime],
        new_id: Callable[[], UUID],
        endpoints_max: int,
        conflict_retries_max: int = 5,
    ) -> None:
        self._store = store
        self._keys = keys
        self._urls = urls
        self._deliveries = deliveries
        self._now = now
        self._new_id = new_id
        self._endpoints_max = endpoints_max
        self._conflict_retries_max = conflict_retries_max

    async def register(self, owner: Owner, wanted: Wanted) -> Done:
        """A new endpoint. Raises what `WebhookRefused` and `StoreError` have below them."""
        _refuse_unknown(wanted.types)
        await self._urls.check(wanted.url)
        key, secret = self._new_key(wanted.signature)
        decision = decide.register(wanted, key, self._now())
        endpoint_id = self._new_id()
        append = Append(endpoint_id, 0, decision, owner.subject, owner.subject)
        if await self._store.append(append, self._endpoints_max) != "appended":
            raise TooManyEndpoints(self._endpoints_max)
        return Done(endpoint_id, len(decision.events), decision.document, secret)

    async def change(self, target: Target, wanted: Changes) -> Done:
        """Change an endpoint, pause it, or let it go on."""
        _refuse_unknown(wanted.types)
        if isinstance(wanted.url, str):
            await self._urls.check(wanted.url)
        is_disabled = wanted.is_enabled is True and await self._deliveries.is_disabled(target.endpoint_id)
        return await self._run(
            target, lambda now: decide.change(now.document, wanted, self._now(), is_disabled=is_disabled)
        )

    async def rotate_key(self, target: Target, old_key_hours: int) -> Done:
        """A new key; the present one signs so many hours more."""
        secret: str | None = None

        def decided(stored: Stored) -> Decision:
            nonlocal secret
            key, secret = self._new_key(stored.document.signature)
            now = self._now()
            until = now + timedelta(hours=old_key_hours) if old_key_hours else None
            return decide.rotate_key(stored.document, key, now, until)

        done = await self._run(target, decided)
        return done._replace(secret=secret)

    async def delete(self, target: Target) -> None:
        """Nothing more is sent to it."""
        await self._run(target, lambda stored: decide.delete(stored.document, self._now()))

    async def request_test(self, target: Target) -> str:
        """A test message; its id."""
        webhook_id = str(self._new_id())
        await self._run(target, lambda stored: decide.request_test(stored.document, webhook_id))
        return webhook_id

    async def request_redelivery(self, target: Target, delivery_id: int) -> None:
        """One message again. Raises `DeliveryNotFound` if the read model knows that there is none."""
        await self._load(target)
        position = await self._deliveries.log_position(target.endpoint_id, delivery_id)
        await self._run(target, lambda now: decide.request_redelivery(now.document, delivery_id, position))

    async def request_redelivery_after(self, target: Target, log_position: int) -> None:
        """All events after this position again."""
        await self._run(target, lambda now: decide.request_redelivery_after(now.document, log_position))

    def _new_key(self, signature: Signature) -> tuple[decide.Key, str | None]:
        key = new_key(signature)
        return decide.Key(self._keys.seal(key.key), key.public), key.shown

    async def _load(self, target: Target) -> Stored:
        stored = await self._store.find(target.endpoint_id)
        owner = target.owner
        if stored is None or not (owner.may_change_all or stored.owner == owner.subject):
            raise EndpointNotFound
        if target.versions_wanted is not None and stored.stream_version not in target.versions_wanted:
            raise EndpointVersionDiffers(stored.stream_version)
        return stored

    async def _run(self, target: Target, decided: Callable[[Stored], Decision]) -> Done:
        for _ in range(self._conflict_retries_max + 1):
            stored = await self._load(target)
            decision = decided(stored)
            done = Done(target.endpoint_id, stored.stream_version + len(decision.events), decision.document)
            if not decision.events:
                return done
            append = Append(
                target.endpoint_id, stored.stream_version, decision, target.owner.subject, stored.owner
            )
            if await self._store.append(append, self._endpoints_max) == "appended":
                return done
        raise EndpointKeepsChanging(stored.stream_version)


def _refuse_unknown(types: object) -> None:
    unknown = [each for each in types if each not in EVENT_TYPES] if isinstance(types, tuple) else []
    if unknown:
        known = ", ".join(EVENT_TYPES)
        raise UnknownEventTypes(
            f"there are no events of type {', '.join(map(repr, unknown))}; there are {known}"
        )
