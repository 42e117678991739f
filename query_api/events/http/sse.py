"""The blocks of a stream of server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html).

The id is the position in the log, from which a client goes on. A block without data sets the id and calls
nothing in the client: so a reader whose filter matches nothing for long does not look at all of it again.
"""

from collections.abc import Iterable

from query_api.events.feed_event import FeedEvent

COMMENT = b":\n\n"


def block(event: FeedEvent) -> bytes:
    """One event."""
    return b"id: %d\nevent: %b\ndata: %b\n\n" % (
        event.log_position,
        event.recorded.event_type.encode(),
        event.json,
    )


def blocks(events: Iterable[FeedEvent]) -> bytes:
    """Several events."""
    return b"".join(map(block, events))


def place(log_position: int) -> bytes:
    """A sign of life that moves the client's place."""
    return b":\nid: %d\n\n" % log_position


def retry(milliseconds: int) -> bytes:
    """How long a client waits before it comes back."""
    return b"retry: %d\n\n" % milliseconds
