"""What the commands of webhook endpoints need."""

from typing import Literal, NamedTuple, Protocol
from uuid import UUID

from command_api.webhooks.decide import Decision
from shared.webhooks.endpoint import EndpointDocument


class Stored(NamedTuple):
    """An endpoint that is not deleted."""

    endpoint_id: UUID
    stream_version: int
    owner: str
    document: EndpointDocument


class Append(NamedTuple):
    """The events of one command. `expected_version` 0: a new endpoint."""

    endpoint_id: UUID
    expected_version: int
    decision: Decision
    actor: str
    owner: str


Outcome = Literal["appended", "conflict", "too-many"]


class WebhookStore(Protocol):
    """The streams of endpoints. Raises `StoreUnavailable`, and `append` also `OutcomeUnknown`."""

    async def find(self, endpoint_id: UUID) -> Stored | None:
        """None: absent or deleted."""
        ...

    async def append(self, append: Append, endpoints_max: int) -> Outcome:
        """Write events and document, or nothing."""
        ...


class UrlRule(Protocol):
    """Which URLs messages may be sent to."""

    async def check(self, url: str) -> None:
        """Raises `UrlRefused` or `UnknownUrlHost`."""
        ...


class Deliveries(Protocol):
    """What the read model knows, which may be away; a command never waits for it in vain."""

    async def is_disabled(self, endpoint_id: UUID) -> bool:
        """Whether deliveries have stopped after failures; True also if that cannot be read."""
        ...

    async def log_position(self, endpoint_id: UUID, delivery_id: int) -> int | None:
        """Of the delivery's event; None for a test message, and if it cannot be read. Raises
        `DeliveryNotFound`.
        """
        ...
