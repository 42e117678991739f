"""What is asked of the use case, and what it answers."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from uuid import UUID

from msgspec import Struct

from command_api.domain.commands import Command
from command_api.domain.product import Product
from command_api.executing.caller import Caller
from shared.contract.events import ProductEvent


class IdempotencyKey(Struct, frozen=True):
    """128-bit hashes: `key` of the caller and the key, `fingerprint` of the request."""

    key: UUID
    fingerprint: UUID


class Done(Struct, frozen=True):
    """The result of a command. `events` is empty if nothing changed."""

    product_id: UUID
    stream_version: int
    product: Product
    events: Sequence[ProductEvent]


class Answer(Struct, frozen=True):
    """The answer to the caller, now and each time the same key comes again. `render` makes its `body`.

    `event_count` None: unknown, because a repeated answer does not store it.
    """

    status: int
    body: bytes
    product_id: UUID
    stream_version: int
    last_position: int
    event_count: int | None = None

    @property
    def was_changed(self) -> bool | None:
        """Whether there were events."""
        return None if self.event_count is None else self.event_count > 0


Rendered = tuple[int, bytes]
Render = Callable[[Done], Rendered]
"""Turns a result into a status and a body. The HTTP layer provides it; the append stores its answer."""


@dataclass(frozen=True, slots=True)
class Request:
    """One command for one product. `product_id` of a creation is new.

    `versions_wanted`: None allows any version, an empty set none. `slug_is_generated`: a taken slug gets a
    suffix instead of a refusal.
    """

    command: Command
    product_id: UUID
    caller: Caller
    render: Render
    versions_wanted: frozenset[int] | None = None
    key: IdempotencyKey | None = None
    slug_is_generated: bool = False
