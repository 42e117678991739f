"""Checks the log itself, before other things are compared with it."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence

from tests.end_to_end.checks.history import History, Logged


def problems(log: Sequence[Logged], streams: Mapping[str, int]) -> Iterator[str]:
    """Checks the numbers first; a log with correct numbers must also fold."""
    found = [*_wrong_numbers(log, streams)]
    yield from found or _what_does_not_fold(log)


def _what_does_not_fold(log: Sequence[Logged]) -> Iterator[str]:
    reached = 0
    try:
        for event, _ in History(log, "").states():
            reached = event.position
    except (AssertionError, LookupError, TypeError, ValueError) as error:
        yield f"log: the event after position {reached} does not fold: {error!r}"


def _wrong_numbers(log: Sequence[Logged], streams: Mapping[str, int]) -> Iterator[str]:
    """Positions unique and rising, versions from 1 without gap, event ids unique, streams as the log says."""
    versions: dict[str, int] = defaultdict(int)
    position = 0
    for event in log:
        if event.position <= position:
            yield f"position {event.position} comes after {position}"
        position = event.position
        versions[event.product_id] += 1
        if event.stream_version != versions[event.product_id]:
            wanted = versions[event.product_id]
            yield f"log: {event.product_id} has version {event.stream_version} where {wanted} belongs"
    for event_id, count in Counter(event.metadata["event_id"] for event in log).items():
        if count > 1:
            yield f"log: {count} events have the id {event_id}"
    if streams != dict(versions):
        different = {*streams.items()} ^ {*versions.items()}
        yield f"log: the streams' versions are not those of the events: {sorted(different)[:5]}"
