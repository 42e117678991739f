"""Each command had its whole effect: after its last event the product has the values that it asked for.

`wanted` names fields of the document with their values, and three more: `prices` and `weights`, SKU -> value,
of which others may be there, and `skus`, all of them in their order.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from tests.end_to_end.checks.history import History
from tests.end_to_end.fold import Document, same
from tests.end_to_end.ledger import Command

_SUBSETS = ("prices", "weights")


def problems(history: History, last_events: Mapping[int, Command]) -> Iterator[str]:
    """`last_events`: position -> the command whose last event stands there."""
    for event, document in history.states():
        command = last_events.get(event.position)
        if command is None or not command.wanted:
            continue
        shown = _shown(document)
        for name, wanted in command.wanted.items():
            given = shown[name]
            if name in _SUBSETS:
                given = {key: given.get(key) for key in wanted}
            if not same(given, wanted):
                who = f"{command.kind} {command.command_id}"
                where = f"{event.product_id} v{event.stream_version}"
                yield f"{who} asked for {name} {wanted!r}; {where} shows {given!r}"


def _shown(document: Document) -> dict[str, Any]:
    variants = document["variants"]
    return {
        **document,
        "prices": {each["sku"]: each["price"] for each in variants},
        "weights": {each["sku"]: each["weight_grams"] for each in variants},
        "skus": [each["sku"] for each in variants],
    }
