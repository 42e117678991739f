"""The clients' records of their commands: every attempt with its outcome."""

from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

Outcome = Literal["ok", "refused", "not-written", "unknown"]
"""`not-written`: the API has promised that nothing was written. `unknown`: no answer, or
`outcome-unknown`.
"""

OUTCOMES_OF_503: dict[str, Outcome] = {
    "store-unavailable": "not-written",
    "overloaded": "not-written",
    "request-in-progress": "not-written",
    "outcome-unknown": "unknown",
}
"""What each 503 of a command promises about its own request, by the problem's code."""


class Leaves(NamedTuple):
    """The events that a successful command must leave: their types and their number."""

    event_types: frozenset[str]
    fewest: int
    most: int


def _leaves(fewest: int, most: int, *kinds: str) -> Leaves:
    return Leaves(frozenset(f"product-{kind}" for kind in kinds), fewest, most)


LEAVES: dict[str, Leaves] = {
    "create": _leaves(1, 1, "created"),
    "details": _leaves(1, 1, "details-changed"),
    "price": _leaves(1, 1, "price-changed"),
    "add-variant": _leaves(1, 1, "variant-added"),
    "change-variant": _leaves(1, 1, "variant-added", "variant-changed"),
    "remove-variant": _leaves(1, 1, "variant-removed"),
    "publish": _leaves(0, 1, "published"),
    "archive": _leaves(0, 1, "archived"),
    "restore": _leaves(0, 1, "restored"),
    "delete": _leaves(1, 1, "deleted"),
    "upsert": _leaves(
        0, 20, "created", "details-changed", "price-changed", "variant-added", "variant-changed",
        "variant-removed",
    ),
}  # fmt: skip


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
    """One command, with one idempotency key or none, tried until it is settled or given up."""

    command_id: str
    kind: str
    product_id: str | None
    attempts: list[Attempt] = field(default_factory=list)
    batch: str | None = None
    """The name in the request ids of the batch that this is an operation of."""
    about: str = ""
    """Tells a batch's operations apart: `sku <SKU>` of a creation, `slug <slug>` of an upsert, or an id."""
    wanted: dict[str, Any] = field(default_factory=dict)
    """What its product must show after its last event; `checks/effects.py` says in which form."""
    if_version: int | None = None
    """It may take effect only on this version."""
    lingers: bool = False
    """An attempt that was given up may still be in flight, and arrive after a later one was refused."""

    @property
    def outcome(self) -> Outcome:
        """The outcome of the last attempt: with its key it would have found the answer of an earlier one.

        There are two exceptions. If the last attempt wrote nothing for certain, an earlier unknown one may
        have written; and a refusal does not exclude that an earlier attempt is stuck in a stopped process.
        """
        last = self.attempts[-1].outcome if self.attempts else "not-written"
        was_unknown = any(attempt.outcome == "unknown" for attempt in self.attempts)
        says_nothing = last == "not-written" or (last == "refused" and self.lingers)
        return "unknown" if was_unknown and says_nothing else last

    @property
    def answer(self) -> Attempt | None:
        """The successful attempt."""
        return next((attempt for attempt in self.attempts if attempt.outcome == "ok"), None)


def command_of(request_id: str) -> str:
    """The command, or the batch, that an attempt's request id belongs to."""
    return request_id.rsplit(".", 1)[0]
