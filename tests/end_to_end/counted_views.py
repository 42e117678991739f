"""Holds the views that count against the log; a file a view says what of it is as the contract promises."""

import json
from collections.abc import Iterator, Sequence
from typing import Any

from tests.end_to_end.checks.views import analytics, category_view, inventory
from tests.end_to_end.fold import Document, fold

VIEWS = (category_view, inventory, analytics)


class History:
    """A log without gaps; every product as it was after each of its events."""

    def __init__(self, log: Sequence[Any]) -> None:
        self._log = log

    def states(self) -> Iterator[tuple[Any, Document]]:
        """Every event, in the log's order, with its product's document after it."""
        documents: dict[str, Document] = {}
        for event in self._log:
            document = documents[event.product_id] = fold(
                documents.get(event.product_id), event.event_type, json.loads(event.data),
                event.stream_version, event.recorded_at,
            )  # fmt: skip
            yield event, document

    @property
    def live(self) -> dict[str, Document]:
        """Product id -> its document, if it is not deleted."""
        newest = {event.product_id: document for event, document in self.states()}
        return {key: each for key, each in newest.items() if each["status"] != "deleted"}


async def counting_problems(place: Any, log: Sequence[Any]) -> list[str]:
    """What is wrong, at rest."""
    history = History(log)
    found: list[str] = []
    for view in VIEWS:
        found += view.problems(history, await view.gather(place))
    return found
