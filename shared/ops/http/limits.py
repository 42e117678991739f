"""The limits of every port: what one client may take up, and for how long."""

from dataclasses import dataclass

# Request line and headers, as they are sent.
HEAD_BYTES_MAX = 65_536
# The request's address with its query string. The longest sensible one is a cursor with 200 ids and filters.
TARGET_BYTES_MAX = 32_768
CONNECTIONS_MAX = 4096
# Chunk extensions and trailers of one body together. Nothing here reads them.
FRAMING_BYTES_MAX = 131_072
# The size line of a chunk, which is not counted as framing.
CHUNK_LINE_BYTES_MAX = 16
# Of a body whose answer is already sent: so much is read and dropped, then the connection closes.
DRAINED_BYTES_MAX = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class ConnectionLimits:
    """What settings tell about one port's connections.

    A head has `head_seconds_max` from its first byte. A body has `body_seconds_max`, and one second more for
    each `bytes_per_second_min` bytes that have arrived; an answer has `answer_seconds_max` and the same more
    for its size. After its last answer a connection is still read for `linger_seconds_max`, so that the
    client can read that answer. All bodies that are held at one time have `bodies_bytes_max` together.
    """

    head_seconds_max: float = 20.0
    body_seconds_max: float = 20.0
    answer_seconds_max: float = 30.0
    linger_seconds_max: float = 2.0
    bytes_per_second_min: int = 16_384
    bodies_bytes_max: int = 256 * 1024 * 1024

    def body_seconds(self, arrived_bytes: int) -> float:
        """How long a body may take of which so much has arrived."""
        return self.body_seconds_max + arrived_bytes / self.bytes_per_second_min

    def answer_seconds(self, size_bytes: int) -> float:
        """How long a client may take to read so much."""
        return self.answer_seconds_max + size_bytes / self.bytes_per_second_min
