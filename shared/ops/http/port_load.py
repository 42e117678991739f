"""What the requests of one port use together, whichever way they are answered, and its limits."""

from dataclasses import dataclass

from shared.ops.overload.overload import Overload


@dataclass(slots=True, eq=False)
class PortLoad:
    """`requests` in flight, at most `requests_max` (None: no limit); `bodies_bytes` in memory, at most
    `bodies_bytes_max`. `overload` (None: all begin at once) gives each request its place in the queue.
    """

    requests_max: int | None
    bodies_bytes_max: int
    overload: Overload | None = None
    requests: int = 0
    bodies_bytes: int = 0

    def requests_are_too_many(self, but: int = 0) -> bool:
        """Whether the limit is reached; `but` is the number of counted requests not to include."""
        return self.requests_max is not None and self.requests - but >= self.requests_max
