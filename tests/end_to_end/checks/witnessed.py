"""Documents that readers saw during the faults: each is the true state of its product at its version."""

from collections.abc import Iterator, Mapping, Sequence

from tests.end_to_end.checks.documents import document_problems
from tests.end_to_end.checks.history import History


def problems(history: History, witnessed: Mapping[tuple[str, int], Sequence[bytes]]) -> Iterator[str]:
    """`witnessed`: (product id, version) -> the bodies that were shown for it."""
    left = dict(witnessed)
    for event, document in history.states():
        for body in left.pop((event.product_id, event.stream_version), ()):
            yield from document_problems(f"seen: {event.product_id}", body, document)
    for product_id, version in left:
        yield f"seen: {product_id} v{version}, which is not in the log"
