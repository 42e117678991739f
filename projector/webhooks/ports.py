"""What the delivery of webhooks needs: the changes of endpoints, the log, the queue, and a way to send.

All reads and writes raise `Unavailable` (errors.py); a send never raises for what its receiver does.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Literal, NamedTuple, Protocol
from uuid import UUID

from shared.contract.recorded_event import RecordedEvent
from shared.webhooks.endpoint import EndpointDocument

State = Literal["waiting", "delivered", "failed"]
NO_PRODUCT = UUID(int=0)
"""The lane of test messages."""


class Change(NamedTuple):
    """An event of an endpoint's stream; `data` is its JSON. `document` is what the endpoint is now, which may
    be newer; `endpoint_version` is the version of that.
    """

    change_position: int
    endpoint_id: UUID
    event_type: str
    data: bytes
    recorded_at: datetime
    is_deleted: bool
    document: EndpointDocument
    endpoint_version: int


class Changes(NamedTuple):
    """The next changes of endpoints, and the log that the answer is of."""

    log_id: UUID
    newest_position: int
    changes: Sequence[Change]


class EndpointStates(NamedTuple):
    """All endpoints as they are now, after the change at `change_position`; each as its last change."""

    log_id: UUID
    newest_position: int
    change_position: int
    endpoints: Sequence[Change]


class EndpointLog(Protocol):
    """The event store: the streams of endpoints, and the log of products. It may be a replica."""

    async def changes_after(self, change_position: int) -> Changes:
        """In order, a bounded number."""
        ...

    async def endpoint_states(self) -> EndpointStates:
        """Without those that are deleted."""
        ...

    async def next_events(self, after: int) -> Sequence[RecordedEvent]:
        """What follows in the log, in order: a bounded number, at least one if there is one."""
        ...

    async def event_at(self, log_position: int) -> RecordedEvent | None:
        """None: it is archived and removed, or never was."""
        ...


class Endpoint(NamedTuple):
    """An endpoint that takes deliveries. Matching events up to `log_position` are in its queue."""

    endpoint_id: UUID
    stream_version: int
    document: EndpointDocument
    log_position: int


class Message(NamedTuple):
    """One message for the queue of an endpoint. `log_position` None: a test message."""

    product_id: UUID
    webhook_id: str
    event_type: str
    log_position: int | None
    event_time: datetime
    body: bytes


class Delivery(NamedTuple):
    """The first waiting message of a product, claimed; `failed_attempts` of it."""

    endpoint_id: UUID
    product_id: UUID
    delivery_id: int
    webhook_id: str
    body: bytes
    failed_attempts: int


class Earlier(NamedTuple):
    """A delivery to send again. `body` is kept only of test messages and of those that wait."""

    state: str
    log_position: int | None
    message: Message | None


class Request(NamedTuple):
    """What an owner requests: messages, or to go back to the log position `after`. `retry`: a delivery that
    waits, to be tried at once.
    """

    messages: Sequence[Message] = ()
    after: int | None = None
    retry: int | None = None


class Answer(NamedTuple):
    """How a send ended. `status` None: no answer came, and `error` says why. `response` is the beginning of
    the body as text. `retry_after_seconds`: as the receiver asks.
    """

    at: datetime
    milliseconds: int
    status: int | None
    response: str | None = None
    error: str | None = None
    retry_after_seconds: float | None = None


class Result(NamedTuple):
    """What becomes of a delivery after an answer. `retry_seconds`: until the next attempt; None: settled.
    `throttle_seconds`: the whole endpoint rests. `disable_reason`: no more attempts to this endpoint.
    """

    delivery: Delivery
    claim_id: UUID
    state: State
    answer: Answer
    retry_seconds: float | None = None
    throttle_seconds: float | None = None
    disable_reason: str | None = None


class Waiting(NamedTuple):
    """What waits in all queues: messages, products whose first message failed, and the age of the oldest."""

    endpoints: int
    disabled_endpoints: int
    messages: int
    failing_products: int
    oldest_seconds: float


class Disabled(NamedTuple):
    """An endpoint that was disabled by us, and whose operators were not told yet."""

    endpoint_id: UUID
    url: str
    reason: str


class Endpoints(Protocol):
    """The endpoints in the read model, shared by all processes."""

    async def place(self) -> tuple[int, UUID | None]:
        """How far the changes of endpoints were read, and of which log; (0, None) at first."""
        ...

    async def delivery(self, endpoint_id: UUID, delivery_id: int) -> Earlier | None:
        """A delivery of this endpoint. None: it has none with this id, or no longer."""
        ...

    async def apply(self, changes: Changes, requests: Mapping[int, Request], after: int) -> bool:
        """Endpoints are added, changed and removed, and what changes request is queued (`requests`, by change
        position). The place moves on from `after`; False: another process has moved it, nothing was done.
        """
        ...

    async def begin_anew(self, states: EndpointStates) -> None:
        """It is another log: endpoints are those of this log. Who was known goes on at its end, what waited
        is cancelled.
        """
        ...

    async def open_endpoints(self) -> Sequence[Endpoint]:
        """Those that take deliveries."""
        ...


class Queue(Protocol):
    """The deliveries in the read model, shared by all processes."""

    async def waiting_messages(self, endpoint_id: UUID, messages_max: int) -> int:
        """How many wait; it counts up to the maximum."""
        ...

    async def add(self, endpoint: Endpoint, messages: Sequence[Message], log_position: int) -> bool:
        """Queue the messages and move the endpoint to the log position. False: it is elsewhere by now."""
        ...

    async def claim(self, places: Mapping[UUID, int], claim_id: UUID, seconds: float) -> Sequence[Delivery]:
        """The first messages of due products, at most so many of each endpoint, which no other process gets
        for `seconds`.
        """
        ...

    async def settle(self, results: Sequence[Result], disable_after_seconds: float) -> None:
        """Store attempts, and what follows from them."""
        ...

    async def waiting(self) -> Waiting:
        """For metrics."""
        ...

    async def untold(self) -> Sequence[Disabled]:
        """Disabled endpoints whose operators were not told yet."""
        ...

    async def told(self, endpoint_ids: Collection[UUID]) -> None:
        """Operators know."""
        ...

    async def purge(self, days: int, deliveries_max: int) -> int:
        """Delete deliveries that were settled long ago, or whose endpoint is gone. How many it were."""
        ...


class Sender(Protocol):
    """Sends one message once."""

    async def send(self, document: EndpointDocument, webhook_id: str, body: bytes) -> Answer:
        """Never raises for the receiver's faults, and never takes longer than its limit."""
        ...


class Notices(Protocol):
    """Tells operators that an endpoint was disabled."""

    async def tell(self, disabled: Disabled) -> bool:
        """Whether they know. False: tell them again later."""
        ...
