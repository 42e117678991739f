"""What clients know of their commands: every attempt with its outcome."""

from dataclasses import dataclass, field
from typing import Literal

Outcome = Literal["ok", "refused", "not-written", "unknown"]
"""`not-written`: the API has promised that nothing happened. `unknown`: no answer, or one that says so."""

# Command -> the events it must leave when it is answered well, as (type, fewest, most).
LEAVES: dict[str, tuple[str, int, int]] = {
    "create": ("product-created", 1, 1),
    "details": ("product-details-changed", 1, 1),
    "price": ("product-price-changed", 1, 1),
    "add-variant": ("product-variant-added", 1, 1),
    "remove-variant": ("product-variant-removed", 1, 1),
    "publish": ("product-published", 0, 1),
    "archive": ("product-archived", 0, 1),
    "restore": ("product-restored", 0, 1),
    "delete": ("product-deleted", 1, 1),
}


@dataclass(frozen=True)
class Attempt:
    """One request. Its id was sent as X-Request-Id, so an event tells which attempt it came from."""

    request_id: str
    outcome: Outcome
    said: str
    """Status and problem code, or the transport error."""
    started: float
    ended: float
    stream_version: int | None = None


@dataclass
class Command:
    """One intention with one idempotency key, tried until it is settled or given up."""

    command_id: str
    kind: str
    product_id: str | None
    attempts: list[Attempt] = field(default_factory=list)

    @property
    def outcome(self) -> Outcome:
        """Of the last attempt: its key would have found what an earlier one has written.

        Only a promise that the last attempt wrote nothing says nothing of an earlier unknown one.
        """
        last = self.attempts[-1].outcome if self.attempts else "not-written"
        was_unknown = any(attempt.outcome == "unknown" for attempt in self.attempts)
        return "unknown" if was_unknown and last == "not-written" else last

    @property
    def answer(self) -> Attempt | None:
        """The attempt that was answered well."""
        return next((attempt for attempt in self.attempts if attempt.outcome == "ok"), None)


def command_of(request_id: str) -> str:
    """The command that an attempt's request id belongs to."""
    return request_id.rsplit(".", 1)[0]
